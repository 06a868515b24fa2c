"""Checkpoints of a run: their list, their soundness, and the newest whole one.

Beside ``epoch_10.pth`` lies its manifest ``epoch_10.pth.json``: size, SHA-256, position and time.
"""

from __future__ import annotations

import json
import lzma
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mochi_mm.files.archive import check_archive
from mochi_mm.files.atomic_file import sha256_of, write_atomically
from mochi_mm.files.backbone_file import backbone_path
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.json_text import MAX_RECORD, read_json_file
from mochi_mm.files.regular_file import open_regular, read_bytes

POINTER = 'last_checkpoint'
_REGULAR = re.compile(r'(epoch|iter)_\d+\.pth')
# What zipfile and its decompressors raise for an archive with wrong bytes.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_BEST = re.compile(r'best_.+\.pth')
_BEST_OF = re.compile(r'best_(.+)_(?:epoch|iter)_\d+\.pth')


@dataclass(frozen=True)
class Saved:
    """One checkpoint file.

    Attributes:
        path: The file.
        time: Time at which it was saved, nanoseconds since 1970.
        manifest: Record of the file; None where there is no manifest, as after a kill
            between the two writes.
    """

    path: Path
    time: int
    manifest: Mapping[str, Any] | None

    @property
    def exact(self) -> bool:
        """Return whether a run can resume from it exactly, with no gradients half accumulated."""
        if self.manifest is not None:
            return bool(self.manifest.get('exact', True))
        if _REGULAR.fullmatch(self.path.name):  # those are saved behind a step
            return True
        try:
            return bool(read_checkpoint(self.path)['meta'].get('exact', True))
        except (ValueError, OSError, KeyError, AttributeError):
            return True  # damaged, which `problem` says better

    def problem(self) -> str | None:
        """Return the reason why the file cannot be trusted, None if it is whole."""
        try:
            return self._problem()
        except ValueError as error:  # no regular file
            return str(error)
        except OSError as error:
            return f'{type(error).__name__}: {error}'

    def _problem(self) -> str | None:
        if self.manifest is None:
            return _damage(self.path)
        size = self.path.stat().st_size
        if size != self.manifest['bytes']:
            return f'it has {size} bytes, {self.manifest["bytes"]} were written'
        if sha256_of(self.path) != self.manifest['sha256']:
            return 'its content is not what was written (SHA-256 differs)'
        return None


def manifest_path(path: Path) -> Path:
    """Return the path of the manifest of a checkpoint."""
    return path.with_name(f'{path.name}.json')


def write_checkpoint(path: str | Path, content: Mapping[str, Any]) -> str:
    """Write a checkpoint, its manifest, and the folder's pointer to it, each in one step.

    Returns the SHA-256 of the checkpoint.

    Args:
        path: The file; it replaces one of that name.
        content: Tensors, numbers, strings; ``content['meta']`` has ``epoch`` and ``iter``.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    path = Path(path)
    content = dict(content)
    earlier = [entry for entry in saved_in(path.parent, best=True) if entry.path != path]

    def save(file: Any) -> None:
        try:
            torch.save(content, file)
        except RuntimeError as error:  # torch's writer hides the disk's error behind its own
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None

    manifest_path(path).unlink(missing_ok=True)  # it must never describe another file
    size, digest = write_atomically(path, save)
    meta = content['meta']
    manifest = dict(
        file=path.name,
        bytes=size,
        sha256=digest,
        epoch=meta['epoch'],
        iter=meta['iter'],
        exact=meta.get('exact', True),
        saved=max([time.time_ns(), *(entry.time + 1 for entry in earlier)]),  # whatever the clock
    )
    _write_text(manifest_path(path), json.dumps(manifest, indent=1) + '\n')
    # A name, not a path: the folder may be moved.
    _write_text(path.parent / POINTER, path.name)
    return digest


def is_regular(path: Path) -> bool:
    """Return whether a file is one of those that a run saves by its position."""
    return _REGULAR.fullmatch(path.name) is not None


def metric_of(path: Path) -> str | None:
    """Return the metric that a checkpoint was kept for, None for an ordinary one."""
    found = _BEST_OF.fullmatch(path.name)
    return None if found is None else found.group(1)


def remove_checkpoint(path: Path) -> None:
    """Delete a checkpoint, then its backbone and its manifest."""
    path.unlink(missing_ok=True)
    backbone_path(path).unlink(missing_ok=True)
    manifest_path(path).unlink(missing_ok=True)


def saved_in(folder: str | Path, best: bool = False) -> list[Saved]:
    """Return the checkpoints in ``folder``, the oldest first.

    Args:
        folder: A work dir; it need not exist.
        best: Also those kept for their metric (``best_*.pth``).
    """
    found = []
    for path in Path(folder).glob('*.pth'):
        if _REGULAR.fullmatch(path.name) or (best and _BEST.fullmatch(path.name)):
            manifest = _manifest(path)
            saved = path.lstat().st_mtime_ns if manifest is None else int(manifest['saved'])
            found.append(Saved(path, saved, manifest))
    return sorted(found, key=lambda entry: entry.time)


def epochs_saved(folder: str | Path) -> int:
    """Return the epoch of the checkpoint that a run saved last, 0 where it saved none by epoch.

    Args:
        folder: A work dir; it need not exist.
    """
    pointer = Path(folder) / POINTER
    try:
        name = read_bytes(pointer, 10_000).decode().strip().rpartition('/')[2]
        found = re.fullmatch(r'epoch_([0-9]{1,9})\.pth', name)
    except (OSError, ValueError):  # a note for people: without it, nothing was saved
        return 0
    return int(found[1]) if found else 0


def newest_valid(
    folder: str | Path, among: Container[Path] | None = None
) -> tuple[Path | None, list[str]]:
    """Return the newest whole checkpoint of a run, and the faults of the newer ones.

    Those that are not exact, as a best one can be where gradients accumulate, are not considered.

    Args:
        folder: A work dir.
        among: The only files to consider; None for all.

    Returns:
        The path, None where there are no checkpoints at all; one sentence for each file refused.

    Raises:
        ValueError: There are checkpoints, and none is whole.
    """
    entries = [e for e in saved_in(folder, best=True) if among is None or e.path in among]
    refused: list[str] = []
    for entry in reversed([entry for entry in entries if entry.exact]):
        problem = entry.problem()
        if problem is None:
            return entry.path, refused
        refused.append(f'{entry.path}: {problem}')
    if refused:
        raise ValueError(
            f'{len(refused)} checkpoints in {folder} and none is whole, so the run cannot be '
            f'continued. {"; ".join(refused)}. Restore one of them, or move them away to start '
            'from the beginning.'
        )
    return None, refused


def _manifest(path: Path) -> dict[str, Any] | None:
    """Return a file's manifest if there is one, it is whole, and it is not older than the file."""
    try:
        data = read_json_file(manifest_path(path), MAX_RECORD)
        wanted = dict(bytes=int, sha256=str, epoch=int, iter=int, saved=int)
        if all(type(data[name]) is kind for name, kind in wanted.items()):
            return data
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def _damage(path: Path) -> str | None:
    """Return the fault of a file without manifest, from the checksums inside it."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            check_archive(archive, path)
            broken = archive.testzip()
        if broken is not None:
            return f'its part {broken} is damaged'
        meta = read_checkpoint(path).get('meta')
    except _DAMAGE as error:
        return str(error) if isinstance(error, ValueError) else f'{type(error).__name__}: {error}'
    if not isinstance(meta, dict) or not {'epoch', 'iter'} <= meta.keys():
        return 'it does not say which epoch and iteration it is of'
    return None


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))
