"""Looking at every byte of a pack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mochi_mm.datasets.packs.pack_reader import PackReader
from mochi_mm.datasets.packs.told import told
from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.shown import shown_path


def check_pack(
    folder: str | Path,
    shards: str | Path | None = None,
    tell: Callable[[str], object] = print,
) -> PackReader:
    """Return a pack whose files all have the digests that it says, and whose index fits.

    Args:
        folder: The pack.
        shards: Where its shards lie, if elsewhere.
        tell: Called with lines about the progress.

    Raises:
        FileNotFoundError: No pack, or a file of it is missing.
        ValueError: It does not hold; names each file.
    """
    pack = PackReader(folder, shards)
    wanted = [(pack.path(shard), shard.sha256) for shard in pack.record.shards]
    wanted += [(pack.folder / name, stored.sha256) for name, stored in pack.record.files.items()]
    changed = [
        shown_path(path)
        for path, sha256 in told(wanted, len(wanted), 'files', tell)
        if sha256_of(path) != sha256
    ]
    if changed:
        raise ValueError(
            f'{len(changed)} of the {len(wanted)} files of the pack {shown_path(pack.folder)} hold '
            f'other bytes than were packed: {", ".join(changed[:10])}. Restore them, or pack the '
            'folder anew.'
        )
    ends = pack.arrays['name_ends']
    if (np.diff(ends) < 0).any() or int(ends[-1]) != len(pack.arrays['names']):
        raise ValueError(
            f'the names of the pack {shown_path(pack.folder)} do not fit its images; pack the '
            'folder anew.'
        )
    return pack
