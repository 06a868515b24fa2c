"""What importing the package needs and says, and what ``tools/check_env.py`` reports."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib import metadata
from pathlib import Path

import pytest

from mochi_mm.utils.versions import TESTED, VersionRange, is_tested, release, warn_if_untested

ROOT = Path(__file__).resolve().parents[1]

BLOCK = """
import sys
from importlib.abc import MetaPathFinder

class Blocker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'mmcv', 'mmdet', 'pycocotools', 'timm'}:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Blocker())
"""


def run_python(code: str) -> str:
    """Run ``code`` in a new interpreter at the root of the repository; return what it prints."""
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_is_light() -> None:
    code = (
        'import sys, warnings; warnings.simplefilter("ignore"); import mochi_mm; '
        'print([m for m in ("torch", "torchvision", "cv2", "matplotlib", "sklearn", "mmcv", '
        '"mmdet", "timm") if m in sys.modules])'
    )
    assert run_python(code) == '[]'


def test_all_but_transfer_works_without_the_optional_packages() -> None:
    names = [
        'MoCo',
        'ResNet',
        'MLPNeck',
        'FeatureQueue',
        'PairMixing',
        'QueryMixing',
        'ContrastiveHead',
        'HardNegativeMixingHead',
        'TimmBackbone',
    ]
    code = (
        BLOCK
        + f"""
import importlib, pkgutil, warnings
warnings.simplefilter('ignore')
import mochi_mm
from mochi_mm.registry import MODELS
print([name for name in {names} if MODELS.get(name).__name__ != name])
for module in pkgutil.walk_packages(mochi_mm.__path__, 'mochi_mm.'):
    if not module.name.startswith('mochi_mm.transfer'):
        importlib.import_module(module.name)
print(sorted({{'mmcv', 'mmdet', 'pycocotools', 'timm'}} & set(sys.modules)))
"""
    )
    assert run_python(code) == '[]\n[]'


def pretend(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Let metadata report ``versions``; None, or a package left out, is not installed."""

    def version(name: str) -> str:
        found = versions.get(name.replace('-', '_'))
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, 'version', version)


def warned(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> list[str]:
    pretend(monkeypatch, **versions)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        warn_if_untested()
    return [str(warning.message) for warning in caught]


INSIDE = dict(torch='2.11.0+cu130', onedl_mmengine='0.10.12', numpy='1.26.4')


def test_no_warning_inside_the_tested_range(monkeypatch: pytest.MonkeyPatch) -> None:
    assert warned(monkeypatch, **INSIDE) == []


def test_one_warning_names_all_that_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = warned(monkeypatch, torch='2.3.1', onedl_mmengine='0.10.12', numpy='9.0.0')
    assert len(messages) == 1
    assert 'torch 2.3.1 (tested: 2.4 to ' in messages[0] and 'numpy 9.0.0' in messages[0]
    assert 'mmengine' not in messages[0] and 'constraints.txt' in messages[0]


def test_upstream_mmengine_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = dict(INSIDE, onedl_mmengine=None, mmengine='0.7.0')
    assert 'mmengine 0.7.0' in warned(monkeypatch, **outside)[0]


@pytest.mark.parametrize('version', ['', 'main', 'v?', '2.dev'])
def test_odd_versions_never_raise(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    assert len(warned(monkeypatch, **dict(INSIDE, torch=version))) == (1 if version else 0)


def test_nothing_installed_is_not_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert warned(monkeypatch) == []


@pytest.mark.parametrize(
    ('version', 'inside'),
    [
        ('2.3.9', False),
        ('2.4', True),
        ('2.4.0', True),
        ('2.4.0+cpu', True),
        ('2.10.1', True),
        ('2.11.0', True),
        ('2.11.9.post1', True),
        ('2.12.0a0', False),
        ('3', False),
        ('2', False),
    ],
)
def test_range_includes_both_ends_and_later_patches(version: str, inside: bool) -> None:
    assert is_tested(version, VersionRange(('x',), '2.4', '2.11')) is inside


def test_ranges_are_not_empty() -> None:
    for tested in TESTED.values():
        assert release(tested.lowest) <= release(tested.highest)


def test_import_warns_once_and_points_at_the_importer() -> None:
    code = """
import warnings
from importlib import metadata
real = metadata.version
metadata.version = lambda name: '99.0' if name in ('torch', 'numpy') else real(name)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    import mochi_mm
    import mochi_mm.registry
ours = [w for w in caught if 'not tested' in str(w.message)]
print(len(ours), ours[0].filename)
"""
    assert run_python(code) == '1 <string>'


def test_check_env_reports_this_environment() -> None:
    done = subprocess.run(
        [sys.executable, 'tools/check_env.py'], cwd=ROOT, capture_output=True, text=True
    )
    assert f'torch        {metadata.version("torch")}' in done.stdout
    assert 'CUDA: ' in done.stdout and "mmcv's compiled ops: " in done.stdout
    assert 'Traceback' not in done.stderr


def test_check_env_works_where_nothing_is_installed() -> None:
    """``-S`` leaves out site-packages, so not even mmengine can be imported."""
    done = subprocess.run(
        [sys.executable, '-I', '-S', 'tools/check_env.py'], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert 'Missing mochi_mm, torch, torchvision, mmengine' in done.stdout
    assert "pip install -e '.' -c requirements/constraints.txt" in done.stdout
    assert "pip install -e '.[det]' -c requirements/constraints.txt" in done.stdout
