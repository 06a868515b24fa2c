"""The options of a program, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mochi_mm.launch import arguments

_EVERY = ('--debug', '--help')


def tool_options(path: Path) -> list[str]:
    """Return the long options of a program, sorted; nothing of it is run.

    Read are its calls of ``add_argument``, ``add_config`` and of the methods of ``ToolParser`` that
    add several. What a program computes (an option in a loop, say) is not found; a shell script
    takes those of ``train.py`` beside it.

    Args:
        path: A program of ``tools/``.
    """
    if path.suffix == '.sh':
        train = path.with_name('train.py')
        return tool_options(train) if train.is_file() else list(_EVERY)
    return sorted({*_EVERY, *_added(ast.parse(path.read_text(encoding='utf-8')))})


def _added(tree: ast.AST) -> set[str]:
    """Return the options that code adds, itself or by methods of the shared parser."""
    found: set[str] = set()
    for name, options in _calls(tree):
        method = _shared().get(name)
        found |= options if name in ('add_argument', 'add_config') else set()
        if method is not None:
            found |= _added(method)
    return found


def _calls(tree: ast.AST) -> list[tuple[str, set[str]]]:
    """Return the name of each method that is called, with the long options among its words."""
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
            hidden = any('SUPPRESS' in ast.unparse(keyword.value) for keyword in node.keywords)
            options = {word for word in words if word.startswith('--')}
            calls.append((node.func.attr, set() if hidden else options))
    return calls


@cache
def _shared() -> Mapping[str, ast.FunctionDef]:
    """Return the methods of the shared parser that add options, by name."""
    tree = ast.parse(Path(arguments.__file__).read_text(encoding='utf-8'))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {node.name: node for node in functions if node.name.startswith('add_')}
