"""The rules of CONTRIBUTING.md that a machine can check and a linter does not."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ('mochi_mm', 'configs', 'tools', 'tests', 'docs', 'results', 'requirements', '.ci')
MAX_FILE = 400
MAX_FUNCTION = 60

# Written so that this file does not match itself.
FORBIDDEN = [
    re.compile(pattern)
    for pattern in (
        r'(?<![\w.])/wor[k]\b',
        r'\bshare[d]/(research|data|design)',
        r'/scratc[h]\b',
        r'pypi\.or[g]',
        r'pythonhosted\.or[g]',
        r'download\.pytorc[h]',
        r'download\.openmmla[b]',
    )
]


def below(folder: str, pattern: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob(pattern)):
        hidden = {'.mim', '__pycache__'} & set(path.relative_to(ROOT).parts)
        if path.is_file() and not hidden:
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PACKAGE = list(below('mochi_mm', '*.py'))
PROGRAMS = [*PACKAGE, *below('tools', '*.py')]
TEXTS = [path for folder in FOLDERS for path in below(folder, '*')]
TEXTS += [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != '.git']


def imported(path: Path) -> set[str]:
    """Dotted names of all modules that ``path`` imports, wherever it does so."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or '')
            names |= {f'{node.module}.{alias.name}' for alias in node.names}
    return names


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + '.')


def broken_rules(node: ast.AST) -> Iterator[str]:
    """Say what is wrong with one node of a syntax tree."""
    if isinstance(node, ast.Assert):
        yield 'assert: raise an error that names the value and the fix'
    if isinstance(node, ast.ImportFrom):
        if any(alias.name == '*' for alias in node.names):
            yield 'star import: name what is imported'
        if node.level:
            yield 'relative import: import from mochi_mm'
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        yield 'bare except: name the exception'
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > MAX_FUNCTION:
            yield f'{node.name} has {length} lines, {MAX_FUNCTION} are allowed'


def broken_file_rules(source: str) -> Iterator[str]:
    """Say what is wrong with the text of one Python file."""
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        yield '1: no module docstring'
    lines = len(source.splitlines())
    if lines > MAX_FILE:
        yield f'{lines}: no more than {MAX_FILE} lines; split it by what changes together'
    for node in ast.walk(tree):
        for problem in broken_rules(node):
            yield f'{getattr(node, "lineno", 0)}: {problem}'


def test_python_files() -> None:
    found = [
        f'{name_of(path)}:{problem}'
        for path in PROGRAMS
        for problem in broken_file_rules(path.read_text(encoding='utf-8'))
    ]
    assert found == []


@pytest.mark.parametrize(
    ('source', 'problem'),
    [
        ('x = 1', 'docstring'),
        ('"""D."""\nassert x', 'assert'),
        ('from a import *', 'star'),
        ('from . import a', 'relative'),
        ('try:\n    x\nexcept:\n    y', 'bare'),
        ('"""D."""\n' * 401, '400 lines'),
        ('def f():\n' + '    x\n' * 60, '61 lines'),
    ],
)
def test_each_rule_bites(source: str, problem: str) -> None:
    assert any(problem in found for found in broken_file_rules(source))


def forbidden_imports(path: Path) -> Iterator[str]:
    """Say what ``path`` imports against the direction in which data flows."""
    parts = path.relative_to(ROOT).parts
    names = imported(path)
    banned: list[str] = []
    if parts[1] != 'transfer' and parts[1:] != ('export', 'mmdet_format.py'):
        banned += ['mmcv', 'mmdet', 'mochi_mm.transfer']
    if parts[1:3] in [('models', 'memories'), ('models', 'mixers')]:
        banned += ['mochi_mm.models.heads', 'mochi_mm.models.algorithms']
    if parts[1:3] == ('models', 'mixers'):
        banned += ['mochi_mm.models.memories']
    yield from sorted(name for name in names if any(within(name, package) for package in banned))
    if parts[1:3] == ('models', 'functional'):
        allowed = {'torch', 'mochi_mm.models.functional', *sys.stdlib_module_names}
        yield from sorted(
            name for name in names if not any(within(name, package) for package in allowed)
        )


def test_data_flows_one_way() -> None:
    """Equations import torch alone, a memory no head, a mixer no memory, only transfer mmdet."""
    found = [f'{name_of(path)} imports {n}' for path in PACKAGE for n in forbidden_imports(path)]
    assert found == []


def test_nothing_names_one_machine_or_a_package_host() -> None:
    found = []
    for path in TEXTS:
        text = path.read_bytes().decode('utf-8', errors='ignore')
        matches = [match.group() for rule in FORBIDDEN for match in rule.finditer(text)]
        found += [f'{name_of(path)}: {match}' for match in matches]
    assert found == []


def test_the_walk_found_the_project() -> None:
    assert len(PACKAGE) > 20
    names = {name_of(path) for path in TEXTS}
    assert {'setup.py', 'Makefile', '.ci/run', 'mochi_mm/registry.py'} <= names
