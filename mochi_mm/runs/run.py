"""A run, read from its work dir."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import localtime, strftime
from typing import Any

import numpy as np

from mochi_mm.evaluation.analysis.records import TIME, is_foreign, read_analysis
from mochi_mm.files.regular_file import read_bytes
from mochi_mm.files.text_file import read_text
from mochi_mm.runs.ending import Ending, ending_of, printable
from mochi_mm.runs.environment import read_environment
from mochi_mm.runs.plain_config import parse_config
from mochi_mm.runs.run_log import RunLog, read_log
from mochi_mm.runs.start_facts import began_at, seconds_of

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
        ending: Whether it came to its end, and its last words where it did not.
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
    ending: Ending
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

    A run that ended before it logged anything is one without lines.

    Raises:
        FileNotFoundError: No such folder, or no logs in it.
        ValueError: Logs, config or analyses that cannot be read.
    """
    folder = Path(work_dir)
    log = read_log(folder, crashed=True)
    began = log.starts[0] if log.earlier else None
    ended = log.later[0] if log.later else None
    analyses, left_out = _analyses(folder / 'analysis', began, ended)
    left_out[:0] = _other_runs(log)
    config_text = _newest(log, 'vis_data/config.py')
    try:
        config = parse_config(config_text)
    except ValueError as error:
        if not log.crashed:
            text = f'{folder}: {error}. Restore its newest vis_data/config.py.'
            raise ValueError(text) from error
        config = {}  # it was killed as it wrote it
    if log.crashed:
        left_out.append('it ended before it logged a single value, so no curve of it is shown')
    return Run(
        name=printable(name or folder.resolve().name),
        work_dir=folder,
        log=log,
        config=config,
        config_text=config_text,
        environment=read_environment(_newest(log, '*.log'), log.starts[-1]),
        starts=len(log.starts),
        analyses=_by_epoch(analyses),
        pictures=_pictures(folder / 'analysis', analyses),
        ending=ending_of(log, folder),
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


def _analyses(
    folder: Path, began: Path | None, ended: Path | None
) -> tuple[dict[str, Analyzed], list[str]]:
    """Return the analyses of a run by name, and what else lies there, in words.

    Args:
        folder: Folder of the analyses.
        began: Log folder that the run began with; None where no run was before it.
        ended: That of the next run, likewise.
    """
    found: dict[str, Analyzed] = {}
    left_out = []
    for path in sorted(folder.glob('*.json')):
        if is_foreign(path):
            left_out.append(f'analysis/{printable(path.name)}: it is no analysis')
            continue
        record, arrays = read_analysis(path)
        saved, seconds = _saved(record, path)
        named = printable(path.name)
        if began is not None and seconds < int(began_at(began)):
            left_out.append(
                f'analysis/{named}: stale, of weights of {saved}, and the run began {began.name}'
            )
            continue
        if ended is not None and seconds >= int(began_at(ended)):
            left_out.append(
                f'analysis/{named}: of weights of {saved}, and a later run began {ended.name}'
            )
            continue
        found[path.stem] = record, arrays
    return found, left_out


def _saved(record: dict[str, Any], path: Path) -> tuple[str, int]:
    """Return since when analyzed weights are what they are: as text, and in seconds since 1970.

    What an earlier version wrote says it in local time, or not at all; the file is about as old.
    """
    text, exact = record.get('saved'), record.get('saved_at')
    named = seconds_of(text) if isinstance(text, str) else None
    seconds = exact if type(exact) in (int, float) else named
    seconds = path.stat().st_mtime if seconds is None else seconds
    return str(text or strftime(TIME, localtime(seconds))), int(seconds)


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
        (printable(kind), printable(path.stem.rsplit('_', 1)[0]), read_bytes(path, MAX_PICTURE))
        for kind, path in sorted(newest.items())
    ]
