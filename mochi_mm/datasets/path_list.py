"""Lists of paths in text files, one per line, also of paths that would not fit a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.json_text import parse_json
from mochi_mm.files.shown import shown
from mochi_mm.files.text_file import read_text


def to_line(path: str) -> str:
    r"""Return the line that stands for a path, without its end.

    The path itself, or, where that would not come back from a UTF-8 text file (line breaks, control
    characters, bytes that are not UTF-8, spaces at an end, a first quotation mark), a JSON string:
    ``"a/two\nlines.jpg"``. Bytes that are not UTF-8 are the lone surrogates of ``os.fsdecode``.
    """
    plain = path.isprintable() and path == path.strip() and not path.startswith('"')
    return path if plain and path else json.dumps(path)


def from_line(line: str) -> str:
    """Return the path that a line stands for; spaces around it do not count.

    Raises:
        ValueError: The line begins with a quotation mark and is no JSON string.
    """
    line = line.strip()
    if not line.startswith('"'):
        return line
    try:
        path = parse_json(line, 'the line', file_names=True)
    except ValueError as error:
        raise ValueError(
            f'the line {shown(line)} begins with a quotation mark but is no JSON string: {error} A '
            'path that begins with one is written as a JSON string.'
        ) from error
    return str(path)  # what begins with a quotation mark is a string


def write_paths(file: str | Path, paths: Iterable[str]) -> str:
    """Write a list in one step, making its folder; return its SHA-256."""
    text = ''.join(f'{to_line(path)}\n' for path in paths)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    return write_atomically(file, lambda opened: opened.write(text.encode()))[1]


def read_paths(file: str | Path) -> set[str]:
    """Return the paths that a UTF-8 text file lists; empty lines do not count."""
    text = read_text(Path(file).expanduser())
    return {from_line(line) for line in text.split('\n') if line.strip()}
