"""The command-line programs: how each is called and what it does."""

from __future__ import annotations

import re
from pathlib import Path

from mochi_mm.launch.listing.header import docstring_of, summary
from mochi_mm.launch.listing.table import Table


def list_tools(root: Path) -> Table:
    """Return every program in ``tools/`` with its command and the first line of its docstring.

    Args:
        root: The folder that holds ``tools/``.
    """
    rows = []
    for path in sorted((root / 'tools').rglob('*')):
        if path.suffix in ('.py', '.sh') and '__pycache__' not in path.parts:
            where = path.relative_to(root).as_posix()
            text = docstring_of(path)
            rows.append((path.stem, f'`{_command(text, where)}`', _first_line(text)))
    return Table(('tool', 'command', 'what it does'), rows)


def _command(text: str, where: str) -> str:
    """Return the command line that the docstring shows first, up to its first option."""
    start = f'python {where}' if where.endswith('.py') else where
    found = re.search(rf'^.*?{re.escape(start)}(.*)$', text, re.M)
    words = found[1].split() if found else []
    stop = next((i for i, word in enumerate(words) if not word[:1].isupper()), len(words))
    return ' '.join([start, *words[:stop]])


def _first_line(text: str) -> str:
    return summary(text.strip().partition('\n')[0])
