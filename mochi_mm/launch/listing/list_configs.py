"""The configs: what each of them says of itself, and the data set that it takes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from mochi_mm.launch.config_files import config_files
from mochi_mm.launch.listing.header import FIELDS, docstring_of, read_header, summary
from mochi_mm.launch.listing.table import Cell, Link, Table


def list_configs(root: Path) -> Table:
    """Return every config with its opening docstring.

    Args:
        root: The folder that holds ``configs/``.
    """
    rows: list[tuple[Cell, ...]] = []
    for name, path in config_files(root / 'configs').items():
        header = read_header(path)
        fields = [header.fields.get(field, '').rstrip('.') for field in FIELDS]
        rows.append((Link(name, path), data_set_of(path), header.title, *fields))
    titles = ('config', 'data set', 'title', *(field.lower() for field in FIELDS))
    return Table(titles, rows)


def data_set_of(path: Path) -> str:
    """Return the name of the data set that a config inherits, '' where it inherits none.

    It stands before the colon in the first line of the file in ``_base_/datasets``.
    """
    for base in inherited(path):
        if base.parent.name == 'datasets':
            return summary(docstring_of(base)).partition(':')[0]
    return ''


def inherited(path: Path) -> Iterator[Path]:
    """Yield the files that a config inherits from, the nearest first."""
    nearest = list(_bases(path))
    yield from nearest
    for base in nearest:
        yield from inherited(base)


def _bases(path: Path) -> Iterator[Path]:
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        names = [ast.unparse(target) for target in getattr(node, 'targets', [])]
        if isinstance(node, ast.Assign) and names == ['_base_']:
            value = ast.literal_eval(node.value)
            for base in [value] if isinstance(value, str) else value:
                yield (path.parent / base).resolve()
