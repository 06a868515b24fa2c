"""Text and JSON files, whose errors name the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mochi_mm.files.json_text import MAX_BYTES, parse_json, read_json_file
from mochi_mm.files.regular_file import read_bytes
from mochi_mm.files.shown import shown_path


def read_text(path: str | Path, errors: str = 'strict') -> str:
    """Return the text of a regular UTF-8 file of up to 1 GiB, without a byte-order mark.

    Args:
        path: The file.
        errors: Treatment of other bytes, as in ``bytes.decode``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no such text, no regular file, or larger.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode('utf-8-sig', errors)
    except UnicodeDecodeError as error:
        raise ValueError(f'{shown_path(path)} is no UTF-8 text: {error}.') from error
    return text.replace('\r\n', '\n').replace('\r', '\n')


def read_json(path: str | Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no JSON, see :func:`mochi_mm.files.json_text.parse_json`.
    """
    return read_json_file(path)


def read_json_lines(path: str | Path) -> list[dict[str, Any]]:
    """Return the dicts of a log with one per line, without a last line that a kill cut off.

    Numbers may be NaN or infinite.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Another line is no JSON.
    """
    texts = [line for line in read_text(path).split('\n') if line.strip()]
    lines = []
    for number, line in enumerate(texts):
        try:
            where = f'{shown_path(path)}, line {number + 1}'
            lines.append(parse_json(line, where, not_finite=True))
        except ValueError:
            if number == len(texts) - 1:
                break
            raise
    return [line for line in lines if isinstance(line, dict)]
