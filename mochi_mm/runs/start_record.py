"""Content of a work dir at the start of a job, so that a restart takes only what the job wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.json_text import MAX_RECORD, read_json_file

FILE = 'start.json'
# What is the same in every start of one job: a requeued Slurm job keeps its number, and what
# torchrun starts again its run id.
_JOB = ('MOCHI_MM_JOB', 'SLURM_JOB_ID', 'TORCHELASTIC_RUN_ID')
_COUNTS = ('TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT')
_RANKS = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')


def job() -> str | None:
    """Return a name of the launcher's job, None where nothing started this process."""
    return next((os.environ[name] for name in _JOB if os.environ.get(name)), None)


def is_restart() -> bool:
    """Return whether a launcher says that it starts the same command line again."""
    return any(int(os.environ.get(name) or 0) for name in _COUNTS)


def is_first_rank() -> bool:
    """Return whether this is the first process of a job, from what its launcher says."""
    return next((os.environ[name] for name in _RANKS if os.environ.get(name)), '0') == '0'


def note_start(folder: str | Path) -> None:
    """Record the content of a work dir, unless this job has done so before.

    Only the first rank writes, and only under a launcher that can start it again.

    Args:
        folder: A work dir; it is created.

    Raises:
        OSError: The record cannot be written.
    """
    if job() is None or not is_first_rank() or (is_restart() and _before(folder) is not None):
        return
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    before = {path.name: _identity(path) for path in folder.glob('*.pth')}
    text = json.dumps(dict(job=job(), before=before), indent=1) + '\n'
    write_atomically(folder / FILE, lambda file: file.write(text.encode()))


def written_since(folder: str | Path) -> set[Path]:
    """Return the ``.pth`` files of a work dir that this job wrote; none if its start is unknown."""
    before = _before(folder)
    if before is None:
        return set()
    return {p for p in Path(folder).glob('*.pth') if before.get(p.name) != _identity(p)}


def _before(folder: str | Path) -> dict[str, list[int]] | None:
    """Return the content at the start of this job, None if none was recorded."""
    try:
        record = read_json_file(Path(folder) / FILE, MAX_RECORD, file_names=True)
        return dict(record['before']) if record['job'] == job() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _identity(path: Path) -> list[int]:
    """Return a value that changes when a file is replaced by another of the same name."""
    about = path.lstat()
    return [about.st_ino, about.st_size, about.st_mtime_ns]
