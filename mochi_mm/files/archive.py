"""Check of zip archives that would unpack to more memory than their size."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import IO

from mochi_mm.files.shown import shown_path

#: What a small archive may always unpack to, in bytes.
ALWAYS = 2**28


def check_archive(archive: zipfile.ZipFile, path: str | Path, compressed: bool = False) -> None:
    """Refuse a zip archive that asks for more memory than its size.

    Args:
        archive: The archive, open.
        path: Its name, for the error.
        compressed: Parts may be compressed, up to :data:`ALWAYS` bytes in all; torch never
            compresses, and NumPy can.

    Raises:
        ValueError: A compressed part, parts that share their bytes, or too many bytes in all.
    """
    file: IO[bytes] = archive.fp  # type: ignore[assignment]  # open
    size = os.fstat(file.fileno()).st_size
    parts = archive.infolist()
    asked = sum(part.file_size for part in parts)
    if asked > (max(size, ALWAYS) if compressed else size):
        raise ValueError(
            f'{shown_path(path)} has {size} bytes and would unpack to {asked}; expected no more '
            'than it has. Restore it, or do not trust where it comes from.'
        )
    for part in parts:
        if not compressed and part.compress_type != zipfile.ZIP_STORED:
            raise ValueError(
                f'{shown_path(path)} holds the compressed part {ascii(part.filename)[:80]}; '
                'checkpoints are not compressed. Write it anew with torch.save.'
            )
