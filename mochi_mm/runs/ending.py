"""How a run ended, and its last words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mochi_mm.files.run_lock import process_lives
from mochi_mm.files.text_file import read_text
from mochi_mm.runs.run_log import RunLog
from mochi_mm.runs.start_facts import is_finished, read_start

_LINES = 12
_WIDTH = 400
#: States of a run that wrote its last words before it had come to its end.
SAD = ('crashed', 'killed', 'not finished')


@dataclass(frozen=True)
class Ending:
    """End of a run.

    Attributes:
        state: ``finished``; ``crashed``, with an error or before it logged anything; ``killed``,
            where its process is gone and could not say why; ``running``; ``not finished``, where
            nobody knows more, such as of a run that was interrupted in good order; ``-`` where
            nobody wrote down anything.
        error: What it died of, where that is known; '' where it is not.
        last_words: The last lines of its text log, where it did not come to its end.
    """

    state: str
    error: str = ''
    last_words: list[str] = field(default_factory=list)


def ending_of(log: RunLog, work_dir: str | Path) -> Ending:
    """Return how a run ended.

    Args:
        log: Log of the run.
        work_dir: Its work dir. The lock there is looked at; it is the run's own unless later runs
            are in the same folder.
    """
    if any(map(is_finished, log.starts)):
        return Ending('finished')
    latest = log.starts[-1]
    error = read_start(latest).get('error')
    if isinstance(error, str) and error:
        return Ending('crashed', printable(error), _last_lines(latest))
    lives = None if log.later else process_lives(work_dir)
    if lives:
        return Ending('running')
    if log.crashed:
        return Ending('crashed', '', _last_lines(latest))
    if lives is False:
        return Ending('killed', '', _last_lines(latest))
    if any(map(read_start, log.starts)):
        return Ending('not finished', '', _last_lines(latest))
    return Ending('-')


def printable(text: str) -> str:
    """Return a text as it can stand on any page; other characters become escapes."""
    return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _last_lines(start: Path) -> list[str]:
    """Return the last lines of the newest text log of a start, long ones cut."""
    files = sorted(start.glob('*.log'))
    text = read_text(files[-1], errors='replace') if files else ''
    lines = [line for line in text.split('\n') if line.strip()][-_LINES:]
    return [printable(line if len(line) <= _WIDTH else f'{line[:_WIDTH]} ...') for line in lines]
