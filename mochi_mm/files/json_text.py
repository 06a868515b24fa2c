"""JSON from files that others may have written: bounded, finite, and text that can be encoded."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from mochi_mm.files.regular_file import read_bytes
from mochi_mm.files.shown import shown, shown_path

#: Of a whole file: twice the largest annotations of COCO.
MAX_BYTES = 2**30
#: Of a record, a manifest, a note.
MAX_RECORD = 2**24
#: Lists and dicts within each other.
MAX_DEPTH = 64
_MAX_NUMBER = 2**63


def read_json_file(path: str | Path, limit: int = MAX_BYTES, file_names: bool = False) -> Any:
    """Return the content of a JSON file, see :func:`parse_json`.

    Args:
        path: A regular file of UTF-8 text.
        limit: Its largest size in bytes.
        file_names: See :func:`parse_json`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no regular file, too large, or no such JSON.
    """
    content = read_bytes(path, limit)
    try:
        text = content.decode('utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(f'{shown_path(path)} is no UTF-8 text: {error}.') from error
    return parse_json(text, shown_path(path), file_names)


def parse_json(text: str, source: str, file_names: bool = False, not_finite: bool = False) -> Any:
    """Return the content of a JSON text.

    Args:
        text: The text.
        source: File or place of the text, for the error.
        file_names: Let strings hold the bytes of names that are not UTF-8, as ``os.fsdecode``
            writes them; any other half of a character is refused anyway.
        not_finite: Let numbers be NaN or infinite, as Python writes them: a log of a run that
            went wrong has them.

    Raises:
        ValueError: It is no JSON, nested too deep, or holds a number that is not finite or beyond
            64 bits, or half of a character.
    """
    try:
        value = json.loads(
            text,
            parse_constant=float if not_finite else _no_constant,
            parse_float=float if not_finite else _finite,
            parse_int=_integer,
        )
        _check(value, file_names)
    except (ValueError, RecursionError) as error:
        what = 'it is nested too deep' if isinstance(error, RecursionError) else error
        raise ValueError(
            f'{source} is no JSON that is read here ({type(error).__name__}: {what}). Restore it, '
            'or delete it and run again what wrote it.'
        ) from error
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f'it holds {name}, expected finite numbers')


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f'it holds the number {shown(text)}, expected finite ones')
    return number


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) >= _MAX_NUMBER:
        raise ValueError(f'it holds the number {shown(text)}, expected up to 64 bits')
    return int(text)


def _check(value: Any, file_names: bool) -> None:
    """Check every value, without recursion."""
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for item in level:
            if type(item) is str:
                _check_text(item, file_names)
            elif type(item) is list:
                below += item
            elif type(item) is dict:
                below += item
                below += item.values()
        if depth > MAX_DEPTH:
            raise ValueError(f'it is nested more than {MAX_DEPTH} deep')
        level, depth = below, depth + 1


def _check_text(text: str, file_names: bool) -> None:
    if text.isascii():
        return
    try:
        if file_names:
            os.fsencode(text)
        else:
            text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f'it holds {shown(text)}, half of a character') from error
