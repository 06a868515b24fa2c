"""The rules of CONTRIBUTING.md that a machine can check and a linter does not."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.import_floors import FLOORS, against_the_floors, arrows, circle

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
        allowed = {
            'torch',
            'mochi_mm.models.functional',
            'mochi_mm.structures',
            *sys.stdlib_module_names,
        }
        yield from sorted(
            name for name in names if not any(within(name, package) for package in allowed)
        )


def test_data_flows_one_way() -> None:
    """Equations import torch and records, a memory no head, a mixer no memory."""
    found = [f'{name_of(path)} imports {n}' for path in PACKAGE for n in forbidden_imports(path)]
    assert found == []


def test_imports_go_down_the_floors() -> None:
    """No import goes up or stays on a floor, and there is no circle among files."""
    found = arrows(ROOT)
    assert len(found) > 300
    assert against_the_floors(found) == []
    assert circle(found) == []


def test_every_room_stands_on_a_floor_and_is_on_the_map() -> None:
    names = {name for floor in FLOORS for name in floor}
    rooms = {path.relative_to(ROOT).parts[1].removesuffix('.py') for path in PACKAGE}
    assert rooms - {'__init__', '__main__'} == names - {'tools'}  # __main__ is a program
    text = (ROOT / 'docs/architecture.md').read_text(encoding='utf-8')
    order = ' > '.join(', '.join(floor) for floor in FLOORS)
    for name in ('docs/architecture.md', 'CONTRIBUTING.md'):
        assert order in (ROOT / name).read_text(encoding='utf-8'), f'{name} states other floors'
    files = [path for path in PACKAGE if path.parent != ROOT / 'mochi_mm']
    folders = {name_of(path.parent) + '/' for path in files if path.name != '__init__.py'}
    assert [name for name in sorted(folders) if f'`{name}`' not in text] == []


def test_utils_stays_small() -> None:
    """What belongs together has a room of its own."""
    files = [path for path in (ROOT / 'mochi_mm/utils').iterdir() if path.suffix == '.py']
    assert len(files) <= 6 + 1  # and __init__


#: A package of two floors, ``engine`` above ``models`` and ``datasets``, and what is wrong in it.
TREES = [
    ({'models/a.py': 'from mochi_mm.engine.b import C'}, ': up, from models to engine'),
    ({'models/a.py': 'def f():\n    import mochi_mm.engine.b'}, 'models.a:2 imports'),
    ({'datasets/a.py': 'from mochi_mm.models import c'}, 'on the same floor, from datasets'),
    ({'strange/a.py': 'import mochi_mm.models.c'}, 'strange stands on no floor'),
    ({'engine/d.py': 'from mochi_mm import x'}, 'not through the door'),
    ({'models/a.py': 'import tools.b', 'tools/b.py': ''}, 'up, from models to tools'),
    (
        {'models/c.py': 'import mochi_mm.models.d', 'models/d.py': 'from mochi_mm.models import c'},
        '',
    ),
    (
        {
            'models/c.py': 'from mochi_mm.models.d import D',
            'models/d.py': 'def f():\n    from mochi_mm.models.e import E',
            'models/e.py': 'from mochi_mm.models.c import C',
        },
        '',
    ),
]


@pytest.mark.parametrize(('files', 'problem'), TREES)
def test_the_floors_bite(files: dict[str, str], problem: str, tmp_path: Path) -> None:
    sound = {'__init__.py': 'x = 1', 'engine/b.py': 'from mochi_mm.models.c import C'}
    sound |= {'models/__init__.py': 'from mochi_mm.models.c import C', 'models/c.py': 'import os'}
    sound['models/t.py'] = 'if TYPE_CHECKING:\n    from mochi_mm.models.u import U'
    sound['models/u.py'] = 'from mochi_mm.models.t import T'
    plant(tmp_path, sound)
    assert against_the_floors(arrows(tmp_path)) == [] and circle(arrows(tmp_path)) == []
    plant(tmp_path, files)
    found = arrows(tmp_path)
    if problem:
        assert [problem in line for line in against_the_floors(found)] == [True]
    else:
        assert against_the_floors(found) == []
        assert set(circle(found)) == {f'mochi_mm.models.{Path(name).stem}' for name in files}


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name if name.startswith('tools/') else root / 'mochi_mm' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')


def untested(sources: Iterator[Path]) -> list[str]:
    """Files without a test of their name at their place under ``tests``."""
    found = []
    for path in sources:
        place = path.relative_to(ROOT / 'mochi_mm')
        test = ROOT / 'tests' / place.with_name(f'test_{place.name}')
        if path.name != '__init__.py' and not test.is_file():
            found.append(f'{name_of(path)}: no {name_of(test)}')
    return found


def test_each_source_file_of_the_models_has_a_test_of_its_own_name() -> None:
    assert untested(below('mochi_mm/models', '*.py')) == []
    assert untested(iter([ROOT / 'mochi_mm/models/no_such_file.py'])) == [
        'mochi_mm/models/no_such_file.py: no tests/models/test_no_such_file.py'
    ]


def idle_tests(sources: Iterator[str]) -> list[str]:
    """Name the tests that only run code: no assertion in them, nor in what they call."""
    functions = [
        node
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    ]
    calls = {
        function: {
            ast.unparse(node.func).split('.')[-1]
            for node in ast.walk(function)
            if isinstance(node, ast.Call)
        }
        for function in functions
    }
    known = {'raises', 'warns', 'fail', 'assert_close', 'assert_allclose', 'assert_array_equal'}
    biting = {f for f in functions if any(isinstance(node, ast.Assert) for node in ast.walk(f))}
    while True:
        known |= {function.name for function in biting}
        more = {function for function in functions if calls[function] & known} - biting
        if not more:
            break
        biting |= more
    return sorted(f.name for f in functions if f.name.startswith('test_') and f not in biting)


def test_every_test_asserts_something() -> None:
    files = [path.read_text(encoding='utf-8') for path in below('tests', '*.py')]
    assert idle_tests(iter(files)) == []
    helper = 'def same(a):\n    assert a'
    for body, idle in (('run()', True), ('same(1)', False), ('with raises(E): run()', False)):
        assert bool(idle_tests(iter([helper, f'def test_it():\n    {body}']))) == idle, body


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
