"""The imports of a package as arrows, the floors they must go down, and circles among files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

#: From the top. Rooms of one floor do not know each other.
FLOORS = (
    ('tools',),
    ('experiments',),
    ('export', 'launch'),
    ('engine', 'transfer'),
    ('visualization',),
    ('runs',),
    ('evaluation',),
    ('models', 'datasets'),
    ('files', 'distributed'),
    ('structures',),
    ('randomness',),
    ('utils',),
    ('registry',),
    ('argument_kinds', 'renamed', 'version'),
)


@dataclass(frozen=True)
class Arrow:
    """One import.

    Attributes:
        source: The module that imports.
        target: The module of the package that it imports.
        line: Where.
        types: Whether it stands under ``TYPE_CHECKING``, so that it never happens.
    """

    source: str
    target: str
    line: int
    types: bool


def modules(root: Path, package: str) -> dict[str, Path]:
    """Return the package's files, and those of ``tools``, by the name of their module."""
    found = {}
    for top in (package, 'tools'):
        for path in sorted((root / top).rglob('*.py')):
            parts = path.relative_to(root).with_suffix('').parts
            found['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return found


def arrows(root: Path, package: str = 'mochi_mm') -> list[Arrow]:
    """Draw every import between the package's files, inside functions as well as at the top."""
    files = modules(root, package)
    found = []
    for source, path in files.items():
        for node, types in _walk(ast.parse(path.read_text(encoding='utf-8')), False):
            for name in _names(node):
                target = next((n for n in _prefixes(name) if n in files), None)
                if target not in (None, source) and name.split('.')[0] in (package, 'tools'):
                    found.append(Arrow(source, target, getattr(node, 'lineno', 0), types))
    return found


def _walk(node: ast.AST, types: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        within = types or (isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.unparse(child.test))
        yield child, within
        yield from _walk(child, within)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f'{node.module}.{alias.name}' for alias in node.names]
    return []


def _prefixes(name: str) -> Iterator[str]:
    """Yield a name and all it lies in, the longest first: a class lies in its module."""
    parts = name.split('.')
    yield from ('.'.join(parts[:end]) for end in range(len(parts), 0, -1))


def room(module: str) -> str:
    """Return the room of a module; a file that lies in the package itself is one.

    ``python -m mochi_mm`` is a program, and stands where those of ``tools`` do.
    """
    parts = module.split('.')
    if parts[0] == 'tools' or parts[-1] == '__main__':
        return 'tools'
    return parts[min(1, len(parts) - 1)]


def against_the_floors(
    found: Sequence[Arrow], package: str = 'mochi_mm', floors: Sequence[Sequence[str]] = FLOORS
) -> list[str]:
    """Name the imports that do not go down.

    The package's own ``__init__`` is the door: it hands out what lies in any room, and who is
    inside does not go through it.
    """
    levels = {name: number for number, names in enumerate(floors) for name in names}
    levels[package] = 0
    problems = []
    for arrow in found:
        ours, theirs = room(arrow.source), room(arrow.target)
        where = f'{arrow.source}:{arrow.line} imports {arrow.target}'
        if missing := [name for name in (ours, theirs) if name not in levels]:
            problems.append(f'{where}: {missing[0]} stands on no floor')
        elif theirs == package and ours != 'tools':
            problems.append(f'{where}: import from the room, not through the door')
        elif theirs != package and ours != theirs and levels[theirs] <= levels[ours]:
            way = 'on the same floor' if levels[theirs] == levels[ours] else 'up'
            problems.append(f'{where}: {way}, from {ours} to {theirs}')
    return problems


def circle(found: Sequence[Arrow]) -> list[str]:
    """Return the files of one circle, the first of them again at the end; [] where there is none.

    What is imported for types alone never happens, and makes none.
    """
    graph: dict[str, set[str]] = {}
    for arrow in found:
        if not arrow.types:
            graph.setdefault(arrow.source, set()).add(arrow.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
