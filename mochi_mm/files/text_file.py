"""Text and JSON files, whose errors name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_text(path: str | Path) -> str:
    """Return the text of a UTF-8 file, without the byte-order mark that some editors begin with.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no such text.
    """
    try:
        return Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is no UTF-8 text: {error}.') from error


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f'{path} is no JSON ({type(error).__name__}: {error}). Restore it, or delete it and '
            'run again what wrote it.'
        ) from error


def read_json_lines(path: str | Path) -> list[dict[str, Any]]:
    """Return the dicts of a log with one a line; a last line that a kill cut off is left out.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Another line is no JSON.
    """
    texts = [line for line in read_text(path).splitlines() if line.strip()]
    lines = []
    for number, line in enumerate(texts):
        try:
            lines.append(json.loads(line))
        except ValueError as error:
            if number == len(texts) - 1:
                break
            raise ValueError(f'{path}, line {number + 1} is no JSON: {error}') from error
    return [line for line in lines if isinstance(line, dict)]
