"""The scalars of a run that may have been stopped and resumed, as one history."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mochi_mm.files.shown import shown_text
from mochi_mm.files.text_file import read_json_lines, read_text
from mochi_mm.runs.start_facts import began_at, is_finished, number_of, read_start, seconds_of

Line = dict[str, Any]
# As MMEngine writes it where a loop counts epochs: number and iteration, of how many.
_IN_TEXT = re.compile(r'Epoch\(train\)\s+\[\d+\]\[\s*\d+/(\d+)\]')


@dataclass(frozen=True)
class RunLog:
    """The logged scalars of a run, oldest first.

    Attributes:
        lines: Scalars of one iteration each, with ``step``, its number. One iteration stands in
            one line, whatever logged it.
        validation: Scalars of one epoch each, with ``epoch``.
        per_epoch: Iterations per epoch, None where the run does not count epochs, or was stopped in
            its first and nobody wrote down how long that is.
        starts: Log folders of the run, one for each start, oldest first.
        earlier: Log folders of earlier runs in the same work dir, of which nothing is here.
        later: Log folders of later runs that did not come to their end, likewise.
        crashed: Whether the run ended before it logged a scalar.
    """

    lines: list[Line]
    validation: list[Line]
    per_epoch: float | None
    starts: list[Path]
    earlier: list[Path]
    later: list[Path]
    crashed: bool = False

    def curve(self, key: str, by_epoch: bool) -> tuple[list[float], list[float]]:
        """Return steps and values of one scalar; values that are not finite leave a gap.

        Args:
            key: Name of the scalar.
            by_epoch: Epochs that have passed, or iterations.
        """
        points = [(self._place(line, by_epoch), line[key]) for line in self.lines if key in line]
        points += [
            (self._place_of_epoch(line['epoch'], by_epoch), line[key])
            for line in self.validation
            if key in line
        ]
        numbers = [(x, float(y)) for x, y in points if isinstance(y, (int, float))]
        numbers.sort(key=lambda point: point[0])
        return [x for x, _ in numbers], [y if math.isfinite(y) else math.nan for _, y in numbers]

    def last(self, key: str) -> float | None:
        """Return the latest value of one scalar, None if it was never logged."""
        values = [line[key] for line in [*self.validation, *self.lines] if key in line]
        return float(values[-1]) if values else None

    def epochs(self) -> float:
        """Return the number of epochs in the log, NaN where the run does not count them."""
        if not self.per_epoch or not self.lines:
            return max((float(line['epoch']) for line in self.validation), default=math.nan)
        return float(self.lines[-1]['step']) / self.per_epoch

    def _place(self, line: Line, by_epoch: bool) -> float:
        step = float(line['step'])
        return step / self.per_epoch if by_epoch and self.per_epoch else step

    def _place_of_epoch(self, epoch: float, by_epoch: bool) -> float:
        return float(epoch) if by_epoch or not self.per_epoch else float(epoch) * self.per_epoch


def starts_of(work_dir: str | Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Return the log folders of the run in ``work_dir``, of earlier runs and of later ones.

    A run that was resumed has several. A start that did not resume began another run, unless it
    ended before it logged anything. Of several runs it is the last that came to its end, and where
    none did, or nobody wrote it down, the last.
    """
    starts = _in_time(file.parents[1] for file in Path(work_dir).glob('*/vis_data/scalars.json'))
    if not starts:  # nothing was logged, and the folder of a start has its name all the same
        starts = _in_time(f for f in Path(work_dir).glob('*_*') if f.is_dir() and _is_start(f))
    return _chosen(starts)


def _in_time(starts: Iterable[Path]) -> list[Path]:
    """Sort starts: those that an earlier version did not count come first, by their time."""
    return sorted(starts, key=lambda start: (number_of(start), began_at(start), start.name))


def _is_start(folder: Path) -> bool:
    return seconds_of(folder.name) is not None


def _chosen(starts: list[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    if not starts:
        return [], [], []
    first = sorted({0, *(i for i, start in enumerate(starts) if _is_fresh(start))})
    runs = [starts[a:b] for a, b in zip(first, [*first[1:], len(starts)], strict=True)]
    ended = [number for number, run in enumerate(runs) if any(map(is_finished, run))]
    chosen = ended[-1] if ended else len(runs) - 1
    end = first[chosen] + len(runs[chosen])
    return runs[chosen], starts[: first[chosen]], starts[end:]


def _is_fresh(start: Path) -> bool:
    config = _text(start / 'vis_data/config.py')
    began = re.search(r'^resume = False$', config, re.M) and not re.search(
        r'^restarted = True$', config, re.M
    )
    if not began:  # asked to go on, and there was nothing
        began = '--resume: no checkpoint in' in ''.join(map(_text, start.glob('*.log')))
    return bool(began and _text(start / 'vis_data/scalars.json').strip())


def _text(path: Path) -> str:
    return read_text(path, errors='replace') if path.exists() else ''


def read_log(work_dir: str | Path, crashed: bool = False) -> RunLog:
    """Return the history of the run in ``work_dir``.

    Each start of a run logs into a folder of its own. What a later start logged replaces whatever
    an earlier one logged from that iteration on: an iteration that was repeated after a resume
    counts once, as it was computed last. Of several runs in one folder it is the one that
    :func:`starts_of` chooses.

    Args:
        work_dir: The work dir of a training run.
        crashed: Return a log without lines for a run that ended before its first scalar.

    Raises:
        FileNotFoundError: No such folder, or no log in it.
        ValueError: A log that cannot be read, or, unless ``crashed``, without a single scalar.
    """
    folder = Path(work_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f'no folder {folder}; expected the work dir of a training run.')
    starts, earlier, later = starts_of(folder)
    if not starts:
        below = sorted(path.parents[2].name for path in folder.glob('*/*/vis_data/scalars.json'))
        if below:
            raise FileNotFoundError(
                f'no logs in {folder} itself, but in folders below it; expected one of these runs: '
                f'{shown_text(", ".join(dict.fromkeys(below)))}.'
            )
        raise FileNotFoundError(
            f'no logs in {folder}: no <time>/vis_data/scalars.json there. Expected the work dir of '
            'a training run whose visualizer has SafeLocalVisBackend, as default_runtime.py has.'
        )
    by_step: dict[int, Line] = {}
    by_epoch: dict[float, Line] = {}
    for start in starts:
        logged = _logged(start)
        # What is no number is no curve.
        lines = [{k: v for k, v in line.items() if type(v) in (int, float)} for line in logged]
        lines = [line for line in lines if 0 <= line.get('step', -1) < math.inf]
        of_steps = [line for line in lines if 'iter' in line or 'epoch' in line]
        of_epochs = [line for line in lines if not ('iter' in line or 'epoch' in line)]
        if of_steps:
            first = min(line['step'] for line in of_steps)
            by_step = {step: line for step, line in by_step.items() if step < first}
        for line in of_steps:
            by_step[line['step']] = {**by_step.get(line['step'], {}), **line}
        if of_epochs:
            first = min(line['step'] for line in of_epochs)
            by_epoch = {epoch: line for epoch, line in by_epoch.items() if epoch < first}
        for line in of_epochs:
            # MMEngine logs a validation with the epoch as its step.
            record = {key: value for key, value in line.items() if key != 'step'}
            by_epoch[line['step']] = dict(record, epoch=line['step'])
    nothing = not by_step and not by_epoch
    if nothing and not crashed:
        raise ValueError(f'the logs in {folder} hold no scalars; the run ended before its first.')
    lines = [by_step[step] for step in sorted(by_step)]
    validation = [by_epoch[epoch] for epoch in sorted(by_epoch)]
    return RunLog(lines, validation, _per_epoch(starts, lines), starts, earlier, later, nothing)


def _logged(start: Path) -> list[Line]:
    path = start / 'vis_data/scalars.json'
    return read_json_lines(path) if path.exists() else []


def _per_epoch(starts: list[Path], lines: list[Line]) -> float | None:
    """Return the number of iterations per epoch, of the latest start that says so.

    It stands in the facts of a start, or else in the lines of its text log. Where it does not, a
    line of epoch e (counted from 1) lies at most e epochs from the start, and lines written at the
    end of an epoch lie there exactly; a run that knows one epoch alone may have been stopped in it.
    """
    for start in reversed(starts):
        length = read_start(start).get('epoch_length')
        if type(length) is int and length > 0:
            return float(length)
        found = _IN_TEXT.findall(''.join(map(_text, sorted(start.glob('*.log')))))
        if found:
            return float(found[-1])
    epochs = [line for line in lines if line.get('epoch', 0) > 0]
    if max((line['epoch'] for line in epochs), default=0) <= 1:
        return None
    return max(line['step'] / line['epoch'] for line in epochs)
