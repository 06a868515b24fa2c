"""Sweeps, one per file: each holds a ``SUITE`` and says in words what it asks."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from mochi_mm.experiments.suite import Suite

_FOLDER = Path(__file__).parent


def suite_names() -> dict[str, str]:
    """Return the name of every suite and the first line of what its file says of it."""
    found = {}
    for path in sorted(_FOLDER.glob('[a-z]*.py')):
        text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or ''
        found[path.stem] = text.partition('\n')[0]
    return found


def read_suite(name: str) -> Suite:
    """Return a suite by its name.

    Raises:
        KeyError: There is none of that name.
    """
    names = suite_names()
    if name not in names:
        raise KeyError(f'no suite {name!r}; there are {", ".join(names)}.')
    suite: Suite = importlib.import_module(f'{__name__}.{name}').SUITE
    return suite
