"""The registered components, read from the source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from mochi_mm.launch.listing.header import summary
from mochi_mm.launch.listing.table import Cell, Table

PACKAGE = Path(__file__).resolve().parents[2]


def list_components() -> Table:
    """Return every component with its kind, what it is, and its file.

    The kind is the folder of a part of a model (``heads``, ``mixers``), else the registry
    (``hooks``, ``transforms``). Detection's are listed whether or not mmdet is installed.
    """
    rows: list[tuple[str, str, str, str]] = []
    for path in sorted(PACKAGE.rglob('*.py')):
        text = path.read_text(encoding='utf-8')
        if '.mim' not in path.parts and '.register_module(' in text:
            where = path.relative_to(PACKAGE.parent)
            rows += [
                (name, _kind(registry, where), what, where.as_posix())
                for name, registry, what in _registered(ast.parse(text))
            ]
    titles = ('component', 'kind', 'what it is', 'file')
    return Table(titles, sorted(rows, key=_order), keys=2)


def _order(row: tuple[Cell, ...]) -> tuple[str, str]:
    return str(row[1]), str(row[0]).lower()


def _registered(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Yield name, registry and summary of what a file registers."""
    for node in tree.body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            continue
        for call in node.decorator_list:
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if call.func.attr == 'register_module':
                names = [str(ast.literal_eval(k.value)) for k in call.keywords if k.arg == 'name']
                registry = ast.unparse(call.func.value)
                yield (*names, node.name)[0], registry, summary(ast.get_docstring(node) or '')


def _kind(registry: str, where: Path) -> str:
    return (
        where.parts[2] if registry == 'MODELS' and where.parts[1] == 'models' else _plain(registry)
    )


def _plain(registry: str) -> str:
    return registry.lower().replace('_', ' ')
