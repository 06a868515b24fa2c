"""Short and safe text for values of files from elsewhere."""

from __future__ import annotations

import reprlib
from typing import Any

_LONGEST = 80


def shown(value: Any) -> str:
    """Return a short form of ``value`` in plain ASCII, whatever it is.

    However long, deep or circular the value is, at most 80 characters come back; what would move
    a terminal's cursor or cannot be encoded is escaped.
    """
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother = 3, _LONGEST, _LONGEST
    try:
        text = short.repr(value)
    except ValueError:  # an integer of thousands of digits has no text
        text = f'a {type(value).__name__}'
    text = text if text.isprintable() else ascii(text)[1:-1]
    text = text.encode('ascii', 'backslashreplace').decode()
    return text if len(text) <= _LONGEST else f'{text[: _LONGEST - 3]}...'


def shown_text(value: Any) -> str:
    """Return :func:`shown` without the quotation marks of a text.

    >>> shown_text('SGD'), shown_text(0.5), shown_text('a' * 90)[36:44]
    ('SGD', '0.5', 'a...aaaa')
    """
    text = shown(value)
    if not isinstance(value, str):
        return text
    return text[1:].removesuffix(text[0])


def shown_path(path: Any) -> str:
    """Return a path as it is, or escaped where its bytes are no text that can be printed."""
    text = str(path)
    return text if text.isprintable() else ascii(text)
