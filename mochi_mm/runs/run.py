"""A run, read from its work dir."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.evaluation.analysis.records import TIME, is_foreign, read_analysis
from mochi_mm.files.regular_file import read_bytes
from mochi_mm.files.text_file import read_text
from mochi_mm.runs.environment import parse_environment
from mochi_mm.runs.plain_config import parse_config
from mochi_mm.runs.run_log import RunLog, read_log

#: Of a picture in bytes; more would make a page that no browser shows.
MAX_PICTURE = 2**25
Analyzed = tuple[dict[str, Any], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Run:
    """One run, as the report shows it.

    Attributes:
        name: Name on the page.
        work_dir: Folder that it was read from.
        log: Scalars of the run.
        config: Settings of the run; empty where it left none.
        config_text: The config as it was written.
        environment: Machine and libraries that it ran on.
        starts: Number of times that it was started or resumed.
        analyses: Record and arrays of each analysis that knows its epoch, by epoch.
        pictures: Newest picture of each kind: its kind, what it was made from, PNG.
        left_out: Sentences about what lies in the work dir and is not of this run.
    """

    name: str
    work_dir: Path
    log: RunLog
    config: dict[str, Any]
    config_text: str
    environment: dict[str, str]
    starts: int
    analyses: list[Analyzed]
    pictures: list[tuple[str, str, bytes]]
    left_out: list[str]

    def analyzed(self, key: str, by_epoch: bool) -> tuple[list[float], list[float]]:
        """Return epochs and values of one number of the analyses."""
        place = 'epoch' if by_epoch else 'iter'
        found = [
            (float(record[place]), record['scalars'][key])
            for record, _ in self.analyses
            if key in record['scalars'] and place in record
        ]
        return [x for x, _ in found], [y for _, y in found]


def read_run(work_dir: str | Path, name: str | None = None) -> Run:
    """Return the run in ``work_dir``.

    Raises:
        FileNotFoundError: No such folder, or no logs in it.
        ValueError: Logs, config or analyses that cannot be read.
    """
    folder = Path(work_dir)
    log = read_log(folder)
    began = log.starts[0].name if log.earlier else ''
    ended = log.later[0].name if log.later else ''
    analyses, left_out = _analyses(folder / 'analysis', began, ended)
    left_out[:0] = _other_runs(log)
    config_text = _newest(log, 'vis_data/config.py')
    try:
        config = parse_config(config_text)
    except ValueError as error:
        raise ValueError(f'{folder}: {error}. Restore its newest vis_data/config.py.') from error
    return Run(
        name=name or folder.resolve().name,
        work_dir=folder,
        log=log,
        config=config,
        config_text=config_text,
        environment=parse_environment(_newest(log, '*.log')),
        starts=len(log.starts),
        analyses=_by_epoch(analyses),
        pictures=_pictures(folder / 'analysis', analyses),
        left_out=left_out,
    )


def read_runs(work_dirs: Sequence[str | Path]) -> list[Run]:
    """Return the runs of several work dirs, named so that no two names are equal.

    Raises:
        ValueError: None at all, or one work dir twice.
    """
    folders = [Path(folder).resolve() for folder in work_dirs]
    if not folders:
        raise ValueError('no work dir was given; expected at least one.')
    twice = [str(folder) for folder in folders if folders.count(folder) > 1]
    if twice:
        raise ValueError(f'the work dir {twice[0]} was given twice; name each once.')
    names = [folder.name for folder in folders]
    depth = 1
    while len(set(names)) < len(names):
        depth += 1
        names = ['/'.join(folder.parts[-depth:]) for folder in folders]
    return [read_run(folder, name) for folder, name in zip(work_dirs, names, strict=True)]


def _newest(log: RunLog, pattern: str) -> str:
    """Return the text of the newest file of that name among the starts of the run."""
    files = [path for start in log.starts for path in sorted(start.glob(pattern))]
    return read_text(files[-1], errors='replace') if files else ''


def _other_runs(log: RunLog) -> list[str]:
    """Return a sentence for each kind of other runs in the same work dir."""
    here, found = log.starts[0].name, []
    for starts, kind, reason in (
        (log.earlier, 'an earlier', f'the run of {here} did not resume it'),
        (log.later, 'a later', f'it did not come to its end, and the run of {here} did'),
    ):
        if starts:
            many = '1 start' if len(starts) == 1 else f'{len(starts)} starts'
            found.append(f'{many} of {kind} run in this folder ({starts[0].name}): {reason}')
    return found


def _analyses(folder: Path, began: str, ended: str) -> tuple[dict[str, Analyzed], list[str]]:
    """Return the analyses of a run by name, and what else lies there, in words.

    Args:
        folder: Folder of the analyses.
        began: When the run began, as its log folder is called; empty where no run was before it.
        ended: When the next run began, likewise.
    """
    found: dict[str, Analyzed] = {}
    left_out = []
    for path in sorted(folder.glob('*.json')):
        if is_foreign(path):
            left_out.append(f'analysis/{path.name}: it is no analysis')
            continue
        record, arrays = read_analysis(path)
        # What an earlier version wrote does not say it; the file is about as old.
        written = datetime.fromtimestamp(path.stat().st_mtime).strftime(TIME)
        saved = str(record.get('saved') or written)
        if saved < began:
            left_out.append(
                f'analysis/{path.name}: stale, of weights of {saved}, and the run began {began}'
            )
            continue
        if ended and saved >= ended:
            left_out.append(
                f'analysis/{path.name}: of weights of {saved}, and a later run began {ended}'
            )
            continue
        found[path.stem] = record, arrays
    return found, left_out


def _by_epoch(analyses: dict[str, Analyzed]) -> list[Analyzed]:
    known = [one for one in analyses.values() if isinstance(one[0].get('epoch'), int)]
    return sorted(known, key=lambda one: one[0]['epoch'])


def _pictures(folder: Path, analyses: dict[str, Analyzed]) -> list[tuple[str, str, bytes]]:
    """Return the newest picture of each kind, by the time it was written."""
    newest: dict[str, Path] = {}
    for path in sorted(folder.glob('*_*.png'), key=lambda path: path.stat().st_mtime):
        name, kind = path.stem.rsplit('_', 1)
        if name in analyses:
            newest[kind] = path
    return [
        (kind, path.stem.rsplit('_', 1)[0], read_bytes(path, MAX_PICTURE))
        for kind, path in sorted(newest.items())
    ]
