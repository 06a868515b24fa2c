"""Pages of the API reference: which names of which rooms, read without importing them.

Each page lists what its rooms export, with one line each, and asks mkdocstrings for the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ROLE = re.compile(r':\w+:`~?(?:[\w.]+\.)?(\w+)`')


@dataclass(frozen=True)
class Page:
    """One page of the reference.

    Attributes:
        name: Name of the page's file, without its ending.
        title: Title in the navigation.
        places: Packages, or modules, of ``mochi_mm`` whose names it shows.
    """

    name: str
    title: str
    places: tuple[str, ...]


PAGES = (
    Page('start', 'Building a model', ('launch.build', 'launch.get_model', 'launch.named_configs')),
    Page('heads', 'Heads', ('models.heads',)),
    Page('necks', 'Necks', ('models.necks',)),
    Page('memories', 'Memories', ('models.memories',)),
    Page('mixers', 'Mixers', ('models.mixers',)),
    Page('view_editors', 'View editors', ('models.view_editors',)),
    Page('blocks', 'Blocks and finders', ('models.blocks', 'models.finders', 'models.estimators')),
    Page('algorithms', 'Algorithms', ('models.algorithms',)),
    Page('backbones', 'Backbones', ('models.backbones', 'models.data_preprocessors')),
    Page('functional', 'Functional equations', ('models.functional',)),
    Page('structures', 'Structures', ('structures',)),
    Page('datasets', 'Data sets', ('datasets',)),
    Page('transforms', 'Transforms', ('datasets.transforms',)),
    Page('hooks', 'Hooks', ('engine.hooks',)),
    Page(
        'engine',
        'Loops, optimizers, runners',
        (
            'engine.loops',
            'engine.optimizers',
            'engine.optim_wrappers',
            'engine.runners',
            'engine.initializers',
        ),
    ),
    Page('evaluation', 'Evaluation', ('evaluation', 'evaluation.measures')),
    Page(
        'robustness',
        'Robustness and explanations',
        ('evaluation.robustness', 'models.attacks', 'models.explanations'),
    ),
    Page('visualization', 'Pictures', ('visualization',)),
    Page('transfer', 'Detection', ('transfer',)),
    Page('export', 'Weights and export', ('files.load_weights', 'export')),
    Page('randomness', 'Randomness', ('randomness',)),
)


@dataclass(frozen=True)
class Name:
    """One class or function of the reference.

    Attributes:
        path: Dotted path, from which it is imported.
        summary: First paragraph of its docstring, on one line.
    """

    path: str
    summary: str


def names_of(place: str) -> list[Name]:
    """Return what a package exports, or the public names of a module or of a package without.

    Args:
        place: Dotted name below ``mochi_mm``.
    """
    path = ROOT / 'mochi_mm' / place.replace('.', '/')
    if not path.is_dir():
        return sorted(_defined(path.with_suffix('.py'), f'mochi_mm.{place}'), key=_order)
    exported = list(_exported(path / '__init__.py', f'mochi_mm.{place}'))
    if not exported:
        files = (file for file in path.glob('*.py') if file.stem != '__init__')
        exported = [n for file in files for n in _defined(file, f'mochi_mm.{place}.{file.stem}')]
    return sorted(exported, key=_order)


def documented() -> dict[str, str]:
    """Return the dotted path of each name of the reference, by the name alone."""
    names = (name.path for page in PAGES for place in page.places for name in names_of(place))
    return {path.split('.')[-1]: path for path in names}


def pages() -> dict[str, str]:
    """Return the Markdown of every page by its place on the site."""
    return {'api/index.md': _index(), **{f'api/{page.name}.md': _page(page) for page in PAGES}}


def _page(page: Page) -> str:
    lines = [f'# {page.title}', '']
    for place in page.places:
        names = names_of(place)
        lines += [_first_line(place), '', f'`mochi_mm.{place}`:', '', '| name | what it is |']
        lines += ['|---|---|', *(f'| [`{_last(n)}`][{n.path}] | {n.summary} |' for n in names), '']
    names = [name for place in page.places for name in names_of(place)]
    return '\n'.join([*lines, *(f'::: {name.path}\n' for name in names)])


def _index() -> str:
    rows = [
        f'| [{page.title}]({page.name}.md) | {", ".join(f"`mochi_mm.{p}`" for p in page.places)} |'
        for page in PAGES
    ]
    return '\n'.join(
        [
            '# API reference',
            '',
            'Made from the docstrings. What a config calls `type` is the name of a class here; '
            '`python tools/list.py components` lists those, with a pattern behind it.',
            '',
            '| page | from |',
            '|---|---|',
            *rows,
            '',
        ]
    )


def _exported(path: Path, package: str) -> Iterator[Name]:
    """Yield the classes and functions that an ``__init__`` imports from the package's own files."""
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.ImportFrom) and (node.module or '').startswith(f'{package}.'):
            file = ROOT / f'{str(node.module).replace(".", "/")}.py'
            there = {_last(n): n for n in _defined(file, package)} if file.is_file() else {}
            yield from (there[alias.name] for alias in node.names if alias.name in there)


def _defined(path: Path, place: str) -> Iterator[Name]:
    """Yield the public classes and functions of one file."""
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith('_'):
            yield Name(f'{place}.{node.name}', _summary(ast.get_docstring(node) or ''))


def _first_line(place: str) -> str:
    path = ROOT / 'mochi_mm' / place.replace('.', '/')
    path = path / '__init__.py' if path.is_dir() else path.with_suffix('.py')
    return _summary(ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or '')


def _summary(docstring: str) -> str:
    first = ' '.join(docstring.split('\n\n')[0].split())
    return _ROLE.sub(r'`\1`', first).replace('``', '`').replace('|', '\\|')


def _last(name: Name) -> str:
    return name.path.split('.')[-1]


def _order(name: Name) -> str:
    return _last(name).lower()
