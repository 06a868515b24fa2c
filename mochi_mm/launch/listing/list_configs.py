"""The configs, with their opening docstrings and data sets."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.launch.config_files import read_files
from mochi_mm.launch.listing.header import FIELDS, docstring_of, read_header, summary
from mochi_mm.launch.listing.table import Cell, Link, Table
from mochi_mm.launch.named_configs import config_files


def list_configs(root: Path, below: Path | None = None) -> Table:
    """Return every config with its opening docstring.

    Args:
        root: The folder that holds ``configs/``.
        below: Folder whose configs are wanted; None for all.
    """
    rows: list[tuple[Cell, ...]] = []
    for name, path in config_files(below or root / 'configs').items():
        header = read_header(path)
        fields = [header.fields.get(field, '').rstrip('.') for field in FIELDS]
        rows.append((Link(name, path), data_set_of(path), header.title, *fields))
    titles = ('config', 'data set', 'title', *(field.lower() for field in FIELDS))
    return Table(titles, rows)


def data_set_of(path: Path) -> str:
    """Return the name of the data set that a config inherits, '' where it inherits none.

    It stands before the colon in the first line of the file in ``_base_/datasets``.
    """
    for file in read_files(path).all_files():
        if file.path.parent.name == 'datasets':
            return summary(docstring_of(file.path)).partition(':')[0]
    return ''
