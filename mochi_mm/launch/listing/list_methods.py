"""The methods: folders of configs whose README names a paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mochi_mm.launch.listing.list_configs import data_set_of
from mochi_mm.launch.listing.table import Cell, Link, Table
from mochi_mm.launch.named_configs import config_files

#: Titles of the table in a README that says what attracts and what repels.
OBJECTIVE = ('method', 'component', 'candidates', 'pull: weights', 'push: denominator')
_PAPER = re.compile(r'\*([^*]+)\*, ([^,.(]*(?:\([^)]*\))?)')


def list_methods(root: Path) -> Table:
    """Return every method with its data sets and its paper.

    Args:
        root: The folder that holds ``configs/``.
    """
    rows = []
    for readme, paper in _methods(root):
        paths = list(config_files(readme.parent).values())
        data = ', '.join(sorted({data_set_of(path) for path in paths} - {''}))
        rows.append((Link(_title(readme), readme), data, f'{len(paths)} configs', paper))
    return Table(('method', 'data sets', 'configs', 'paper'), rows, shown=4)


def list_objectives(root: Path) -> Table:
    """Return the objective of each method, from the table in its README.

    Args:
        root: The folder that holds ``configs/``.

    Raises:
        ValueError: A README has no such table.
    """
    rows: list[tuple[Cell, ...]] = []
    for readme, _ in _methods(root):
        found = list(_objective(readme.read_text(encoding='utf-8')))
        if not found:
            raise ValueError(
                f'{readme} has no table of its objective; expected one with the titles '
                f'{" | ".join(OBJECTIVE)}, as in configs/simclr/README.md.'
            )
        rows += [(Link(row[0], readme), *row[1:]) for row in found]
    return Table(OBJECTIVE, rows, shown=len(OBJECTIVE))


def _methods(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the README of each method and its paper."""
    for readme in sorted((root / 'configs').glob('*/README.md')):
        quoted = ' '.join(
            line.removeprefix('>').strip()
            for line in readme.read_text(encoding='utf-8').splitlines()
            if line.startswith('>')
        )
        if found := _PAPER.search(quoted):
            yield readme, f'{found[1]}, {found[2]}'


def _title(readme: Path) -> str:
    return readme.read_text(encoding='utf-8').partition('\n')[0].lstrip('# ')


def _objective(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table with the titles of OBJECTIVE."""
    inside = False
    for line in text.splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip('|').split('|'))
        inside = line.startswith('|') and (inside or cells == OBJECTIVE)
        if inside and cells != OBJECTIVE and not set(line) <= set('|-: '):
            yield cells
