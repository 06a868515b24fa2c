"""What a built package holds, and that the requirement files agree with one another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from mmengine.config import Config
from packaging.requirements import Requirement
from packaging.version import Version

import mochi_mm
from mochi_mm.utils.versions import TESTED, is_tested

ROOT = Path(__file__).resolve().parents[1]
NOT_SOURCE = (
    '.git',
    '.venv',
    '.mim',
    '*.egg-info',
    '.*_cache',
    '__pycache__',
    'build',
    'data',
    'dist',
    'work_dirs',
)


def copy_tree(target: Path) -> Path:
    """Copy what a fresh clone holds, so that building leaves the real tree alone."""
    return Path(shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*NOT_SOURCE)))


def call_backend(source: Path, target: Path, function: str) -> Path:
    """Let setuptools build something, as pip would without isolation; return the built file."""
    target.mkdir()
    code = f'from setuptools import build_meta; build_meta.{function}({str(target)!r})'
    subprocess.run([sys.executable, '-c', code], cwd=source, check=True, capture_output=True)
    return next(target.iterdir())


def build_wheel(source: Path, target: Path) -> Path:
    """Build a wheel with pip; neither dependencies nor a network are needed."""
    command = [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-index']
    command += ['--no-build-isolation', '--wheel-dir', str(target), '.']
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(target.glob('*.whl'))


@pytest.fixture(scope='module')
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source tree that was built, and its wheel."""
    folder = tmp_path_factory.mktemp('wheel')
    source = copy_tree(folder / 'source')
    return source, build_wheel(source, folder / 'out')


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if '.dist-info/' not in name}


def source_files(*folders: str) -> set[str]:
    """Files below ``folders``, relative to the repository."""
    found = (path for folder in folders for path in (ROOT / folder).rglob('*') if path.is_file())
    names = {path.relative_to(ROOT) for path in found if '__pycache__' not in path.parts}
    return {name.as_posix() for name in names if '.mim' not in name.parts}


def expected_files() -> set[str]:
    mim = source_files('configs', 'tools')
    mim |= {name for name in ['model-index.yml'] if (ROOT / name).exists()}
    return source_files('mochi_mm') | {f'mochi_mm/.mim/{name}' for name in mim}


def test_wheel_holds_the_package_with_configs_and_tools(built: tuple[Path, Path]) -> None:
    files = files_of(built[1])
    assert files == expected_files()
    assert {'mochi_mm/py.typed', 'mochi_mm/.mim/tools/check_env.py'} <= files


def test_building_leaves_no_mim_folder_in_the_source(built: tuple[Path, Path]) -> None:
    assert not (built[0] / 'mochi_mm' / '.mim').exists()


def test_scripts_stay_executable(built: tuple[Path, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    for name in source_files('tools'):
        assert os.access(ROOT / name, os.X_OK) == bool(modes[f'mochi_mm/.mim/{name}'] & 0o100), name


def test_configs_in_the_wheel_load(built: tuple[Path, Path], tmp_path: Path) -> None:
    """Their ``_base_`` paths still lead somewhere when only the wheel is there."""
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(tmp_path)
    configs = tmp_path / 'mochi_mm' / '.mim' / 'configs'
    names = [path for path in configs.rglob('*.py') if 'transfer' not in path.parts]
    assert len(names) == len([n for n in source_files('configs') if n.endswith('.py')]) - len(
        [n for n in source_files('configs/transfer') if n.endswith('.py')]
    )
    for path in names:
        Config.fromfile(path, import_custom_modules=False)


def test_models_are_found_by_name_in_the_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(tmp_path)
    code = 'import mochi_mm; print(mochi_mm.__file__, *mochi_mm.list_models())'
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(tmp_path)),
        text=True,
        capture_output=True,
    )
    where, *names = done.stdout.split()
    assert where == str(tmp_path / 'mochi_mm/__init__.py'), done.stderr
    assert names == mochi_mm.list_models()
    listed = subprocess.run(
        [sys.executable, '-m', 'mochi_mm', 'list', 'methods', 'mochi'],  # its own tools
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(tmp_path)),
        text=True,
        capture_output=True,
    )
    assert 'Hard Negative Mixing for Contrastive Learning' in listed.stdout, listed.stderr


def test_metadata(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        name = next(n for n in archive.namelist() if n.endswith('.dist-info/METADATA'))
        metadata = Parser().parsestr(archive.read(name).decode())
        entries = archive.read(name.replace('METADATA', 'entry_points.txt')).decode()
    assert metadata['Name'].replace('-', '_') == 'mochi_mm'
    assert metadata['Version'] == mochi_mm.__version__
    assert metadata['Requires-Python'] == '>=3.10'
    assert '[console_scripts]\nmochi-mm = mochi_mm.launch.command.dispatch:main' in entries
    needs = [Requirement(line) for line in metadata.get_all('Requires-Dist')]
    plain = {need.name for need in needs if need.marker is None}
    assert {'torch', 'torchvision', 'onedl-mmengine', 'numpy'} <= plain
    assert not {'onedl-mmcv', 'onedl-mmdetection', 'timm', 'pytest'} & plain
    for extra, name in [('det', 'onedl-mmdetection'), ('timm', 'timm'), ('all', 'onedl-mmcv')]:
        assert any(
            need.name == name and need.marker and need.marker.evaluate({'extra': extra})
            for need in needs
        ), extra


def test_wheel_from_sdist_is_the_same(built: tuple[Path, Path], tmp_path: Path) -> None:
    source = copy_tree(tmp_path / 'source')
    sdist = call_backend(source, tmp_path / 'sdist', 'build_sdist')
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / 'unpacked')
    unpacked = next((tmp_path / 'unpacked').iterdir())
    assert (unpacked / 'requirements' / 'constraints.txt').is_file()
    assert not (unpacked / 'mochi_mm' / '.mim').exists()
    assert files_of(build_wheel(unpacked, tmp_path / 'out')) == files_of(built[1])


def test_editable_install_leaves_the_source_alone(tmp_path: Path) -> None:
    source = copy_tree(tmp_path / 'source')
    call_backend(source, tmp_path / 'out', 'build_editable')
    assert not (source / 'mochi_mm' / '.mim').exists()


def read(name: str) -> list[Requirement]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    texts = [line.split('#', 1)[0].strip() for line in lines]
    return [Requirement(text) for text in texts if text]


def pins() -> dict[str, str]:
    return {need.name: str(need.specifier) for need in read('constraints')}


def test_every_pin_is_exact() -> None:
    assert [name for name, pin in pins().items() if not re.fullmatch(r'==[\w.]+', pin)] == []


@pytest.mark.parametrize(
    'name',
    ['runtime', 'det', 'timm', 'export', 'parquet', 'tensorboard', 'attacks', 'tests', 'docs'],
)
def test_pinned_set_lies_in_the_ranges(name: str) -> None:
    for need in read(name):
        assert need.name in pins(), f'{need.name} has a range but no pin'
        assert need.specifier.contains(pins()[need.name].removeprefix('==')), need


def test_pinned_set_is_a_tested_one() -> None:
    for tested in TESTED.values():
        assert is_tested(pins()[tested.distributions[0]].removeprefix('=='), tested)


def test_tested_ranges_start_where_the_requirements_do() -> None:
    lowest = {need.name: next(iter(need.specifier)).version for need in read('runtime')}
    for tested in TESTED.values():
        assert Version(lowest[tested.distributions[0]]) == Version(tested.lowest)


def test_linters_are_the_same_everywhere() -> None:
    hooks = (ROOT / '.pre-commit-config.yaml').read_text()
    for need in read('lint'):
        version = str(need.specifier).removeprefix('==')
        assert f'name: {need.name} {version}\n' in hooks


def test_make_installs_extras_that_exist() -> None:
    target = re.search(r'^TARGET := \.\[(.+)\]$', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    assert target is not None
    for extra in target.group(1).split(','):
        assert (ROOT / 'requirements' / f'{extra}.txt').is_file()
