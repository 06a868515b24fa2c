"""Telling a user's mistake from a fault of the program."""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator
from pathlib import Path

from mochi_mm.launch.foreign_errors import cure_of, innermost

PACKAGE = Path(__file__).resolve().parents[1]
_OWN = (PACKAGE, PACKAGE.parent / 'tools')
_RAISE = dis.opmap['RAISE_VARARGS']
# What this project raises for mistakes in settings, files and surroundings.
_KINDS = (
    ValueError,
    KeyError,
    OSError,
    ImportError,
    SyntaxError,
    FloatingPointError,
    RuntimeError,
)
_WORKER = re.compile(r'Caught (\w+) in DataLoader worker process')
_PLACE = re.compile(r'^\s+File "([^"]+)", line \d+, in .*\n\s+(.*)$', re.M)


def mistake_of(error: BaseException) -> str | None:
    """Return the message of a user's mistake in one paragraph; None for a program's fault.

    A mistake is what a ``raise`` statement of this project says, also where another library was
    on the way, and what the system or another library says that a user can mend. Whatever Python
    raises by itself inside this project, such as an index out of range, is a fault of the program.

    Args:
        error: Exception as it arrived at the end of a tool.
    """
    for one in _chain(error):
        if _is_own(one):
            return said_by(one)
        if (text := _said_in_worker(one)) is not None:
            return text
    for one in _chain(error):
        if (text := cure_of(one)) is not None:
            return text
    return None


def said_by(error: BaseException) -> str:
    """Return the message of an error, as one line."""
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return ' '.join(str(text).split())


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from or instead of, the last first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _is_own(error: BaseException) -> bool:
    """Return whether a ``raise`` of this project raised it."""
    frame = innermost(error)
    if frame is None or not isinstance(error, _KINDS) or isinstance(error, NotImplementedError):
        return False
    code = frame.tb_frame.f_code
    raised = code.co_code[frame.tb_lasti] == _RAISE
    return raised and _is_ours(code.co_filename)


def _is_ours(file: str) -> bool:
    return any(folder in Path(file).resolve().parents for folder in _OWN)


def _said_in_worker(error: BaseException) -> str | None:
    """Return the error that this project raised in a loader process; it arrives as a text."""
    text = str(error.args[0]) if error.args else ''
    kind = _WORKER.match(text)
    if kind is None:
        return None
    places = _PLACE.findall(text)
    if not places or not _is_ours(places[-1][0]) or not places[-1][1].startswith('raise'):
        return None
    message = text[text.rfind(places[-1][1]) + len(places[-1][1]) :]
    found = re.search(rf'^(?:\w+\.)*{kind[1]}: (.*)', message, re.M | re.S)
    return ' '.join(found[1].split()).strip('\'"') if found else None
