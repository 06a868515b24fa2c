"""The ``>>>`` examples of docstrings run, and every part that is useful by itself has one."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.registry import MODELS, TRANSFORMS, components

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for path in (ROOT / 'mochi_mm').rglob('*.py')
    if '.mim' not in path.parts and '>>> ' in path.read_text(encoding='utf-8')
)

PARTS = ('heads', 'memories', 'mixers')


def name_of(path: Path) -> str:
    return '.'.join(path.relative_to(ROOT).with_suffix('').parts)


def own_names(module: Any) -> dict[str, Any]:
    """What a reader of the example has: torch and what the file defines, not what it imports."""
    defined = {
        name: value
        for name, value in vars(module).items()
        if getattr(value, '__module__', None) == module.__name__
    }
    return dict(defined, torch=torch)


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_examples_run(path: Path) -> None:
    module = import_module(name_of(path))
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in doctest.DocTestFinder().find(module, globs=own_names(module)):
        torch.manual_seed(0)
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, ''.join(report)
    assert runner.tries > 0, 'an example stands where doctest does not look'


def useful_alone() -> list[type]:
    """Heads, memories, mixers, the part that mixes, tables and view recipes."""
    found = [
        component
        for registry, component in components().values()
        if (registry is MODELS and component.__module__.split('.')[2] in PARTS)
        or (registry is TRANSFORMS and component.__name__.endswith('MultiView'))
    ]
    assert len(found) > 20
    return found


def test_every_part_that_is_useful_alone_has_an_example() -> None:
    lacking = [part.__name__ for part in useful_alone() if '>>> ' not in (part.__doc__ or '')]
    assert lacking == [], 'add an example of a few lines to the docstring of each'


def test_a_wrong_example_is_found() -> None:
    """What the test above rests on bites."""
    text = inspect.cleandoc("""
        >>> 1 + 1
        3
        """)
    test = doctest.DocTestParser().get_doctest(text, {}, 'wrong', None, None)
    runner = doctest.DocTestRunner()
    runner.run(test, out=lambda _: None)
    assert runner.summarize(verbose=False).failed == 1
