"""Tables of documents that are written from the files themselves, between two marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.launch.listing.list_components import list_components
from mochi_mm.launch.listing.list_configs import list_configs
from mochi_mm.launch.listing.list_family import list_family
from mochi_mm.launch.listing.list_methods import list_methods, list_objectives
from mochi_mm.launch.listing.list_tools import list_tools
from mochi_mm.launch.listing.table import Link, Table

COMMAND = 'python tools/list.py --write'
_MARKS = re.compile(r'^<!-- list: (.*?) -->\n(.*?)^<!-- (end|list: .*?) -->$', re.M | re.S)
_START = re.compile(r'^<!-- list: .*-->$', re.M)
_FENCED = re.compile(r'(^```.*?^```$)', re.M | re.S)  # marks in an example are left alone
_DOCUMENTS = ('*.md', 'docs/*.md', 'configs/**/*.md')


def _tools(root: Path, folder: Path, pattern: str) -> Table:
    return list_tools(root).matching(pattern).columns('command', 'what it does')


def _methods(root: Path, folder: Path, pattern: str) -> Table:
    return list_methods(root).matching(pattern).columns('method', 'data sets', 'paper')


def _objectives(root: Path, folder: Path, pattern: str) -> Table:
    return list_objectives(root).matching(pattern)


def _components(root: Path, folder: Path, pattern: str) -> Table:
    table = list_components().matching(pattern).columns('component', 'what it is')
    return Table(table.titles, [(f'`{name}`', what) for name, what in table.rows])


def _configs(root: Path, folder: Path, pattern: str) -> Table:
    """Return the configs below the folder of the document; the pattern names folders in it."""
    below = folder if root / 'configs' in folder.parents else None  # others take long to read
    table = list_configs(root, below).columns('config', 'expected', 'measured')
    rows = [
        row
        for row in table.rows
        if isinstance(row[0], Link)
        and folder in row[0].path.parents
        and (pattern == '*' or row[0].path.parent.name in pattern.split())
    ]
    return Table(table.titles, rows)


def _family(root: Path, folder: Path, pattern: str) -> Table:
    return list_family(root, pattern)


#: What stands after ``list:``, the name and a pattern; each gets the root, the folder and that.
TABLES: Mapping[str, Callable[[Path, Path, str], Table]] = dict(
    tools=_tools,
    methods=_methods,
    objectives=_objectives,
    components=_components,
    configs=_configs,
    family=_family,
)


def documents(root: Path) -> list[Path]:
    """Return the documents of the repository at ``root``."""
    return [path for pattern in _DOCUMENTS for path in sorted(root.glob(pattern))]


def written(document: Path, root: Path) -> str:
    """Return the text of a document with all of its tables up to date.

    Raises:
        ValueError: A mark that names no table, has no end, or whose table has no rows.
    """
    parts = _FENCED.split(document.read_text(encoding='utf-8'))
    return ''.join(
        part if part.startswith('```') else _filled(part, document, root) for part in parts
    )


def out_of_date(root: Path) -> list[Path]:
    """Return the documents whose tables are not what :data:`COMMAND` would write."""
    return [
        path for path in documents(root) if written(path, root) != path.read_text(encoding='utf-8')
    ]


def write_tables(root: Path) -> list[Path]:
    """Bring the tables of all documents up to date; return the documents that changed."""
    changed = {path: written(path, root).encode() for path in out_of_date(root)}
    for path, content in changed.items():
        write_atomically(path, partial(_put, content))
    return list(changed)


def _filled(text: str, document: Path, root: Path) -> str:
    """Return a text with new tables between its marks."""
    for words in _unfinished(text):
        raise ValueError(f'{document}: <!-- list: {words} --> has no <!-- end --> after it.')

    def fill(match: re.Match[str]) -> str:
        table = _table(match[1], document, root).markdown(document.parent)
        return f'<!-- list: {match[1]} -->\n{table}\n<!-- end -->'

    return _MARKS.sub(fill, text)


def _put(content: bytes, file: BinaryIO) -> None:
    file.write(content)


def _unfinished(text: str) -> Iterator[str]:
    """Yield the words of marks that another mark or the end of the document follows."""
    for match in _MARKS.finditer(text):
        if match[3] != 'end':
            yield match[1]
    if len(_START.findall(text)) > len(_MARKS.findall(text)):
        yield _START.findall(text)[-1].removeprefix('<!-- list: ').removesuffix(' -->')


def _table(words: str, document: Path, root: Path) -> Table:
    """Return the table that a mark asks for."""
    name, _, pattern = words.partition(' ')
    if name not in TABLES:
        raise ValueError(
            f'{document}: <!-- list: {words} --> names no table; expected one of '
            f'{", ".join(TABLES)}, and a pattern where not all rows are wanted.'
        )
    table = TABLES[name](root, document.parent, pattern or '*')
    if not table.rows:
        raise ValueError(f'{document}: nothing is in the table of <!-- list: {words} -->.')
    return table
