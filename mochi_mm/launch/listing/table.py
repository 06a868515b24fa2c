"""A table that is shown in a terminal, or written into a document."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Link:
    """Text of a cell that a document links to a file.

    Attributes:
        text: Text that is shown.
        path: The file.
    """

    text: str
    path: Path

    def __str__(self) -> str:
        return self.text


Cell = str | Link


@dataclass(frozen=True)
class Table:
    """Rows with titles; what stands first in a row is its name.

    Attributes:
        titles: One for each column.
        rows: Cells, as many in each row as there are titles.
        keys: Leading columns that a pattern is compared with.
        shown: Leading columns that a list of several rows shows; the others are details.
    """

    titles: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    keys: int = 1
    shown: int = 3

    def matching(self, pattern: str) -> Table:
        """Return the rows one of whose keys a pattern fits.

        Args:
            pattern: ``*``, ``?`` and ``[...]`` as in a shell; case is ignored.
        """
        rows = [
            row
            for row in self.rows
            if any(fnmatchcase(str(key).lower(), pattern.lower()) for key in row[: self.keys])
        ]
        return replace(self, rows=rows)

    def columns(self, *titles: str) -> Table:
        """Return the columns of these titles, in this order."""
        places = [self.titles.index(title) for title in titles]
        rows = [tuple(row[place] for place in places) for row in self.rows]
        return Table(titles, rows, keys=1, shown=len(titles))

    def text(self) -> str:
        """Return the table for a terminal; a single row with all of its details."""
        if len(self.rows) == 1:
            width = max(map(len, self.titles))
            cells = zip(self.titles, self.rows[0], strict=True)
            return '\n'.join(f'{title:{width}}  {cell}' for title, cell in cells if str(cell))
        lines = [[str(cell) for cell in row[: self.shown]] for row in [self.titles, *self.rows]]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return '\n'.join(
            '  '.join(f'{cell:{width}}' for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def markdown(self, folder: Path) -> str:
        """Return the table for a document.

        Args:
            folder: Folder of the document; links start there.
        """
        rows = [self.titles, *([_written(cell, folder) for cell in row] for row in self.rows)]
        lines = [f'| {" | ".join(row)} |' for row in rows]
        return '\n'.join([lines[0], f'|{"---|" * len(self.titles)}', *lines[1:]])


def _written(cell: Cell, folder: Path) -> str:
    text = str(cell).replace('|', '\\|')
    if isinstance(cell, Link):
        return f'[{text}]({Path(os.path.relpath(cell.path, folder)).as_posix()})'
    return text
