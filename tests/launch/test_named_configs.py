"""The configs of the project by name, in a clone and in a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

import mochi_mm
from mochi_mm.launch import named_configs
from mochi_mm.launch.arguments import ToolParser

ROOT = Path(__file__).resolve().parents[2]


def test_every_config_has_a_name_of_its_own() -> None:
    paths = [p for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts]
    assert len(mochi_mm.list_models()) == len(paths) > 50, 'two configs share a name'
    assert mochi_mm.list_models() == sorted(path.stem for path in paths)


def test_patterns() -> None:
    quick = [name for name in mochi_mm.list_models() if 'quickstart' in name]
    assert mochi_mm.list_models('*QUICKSTART*') == quick != []
    assert mochi_mm.list_models('simclr_*_cifar10') == [
        'simclr_resnet18_1xb512-cosine-1000e_cifar10'
    ]
    assert mochi_mm.list_models('nothing') == []


def test_a_wheel_has_them_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, beside = tmp_path / 'mochi_mm/.mim/configs', tmp_path / 'configs'
    monkeypatch.setattr(named_configs, '_PLACES', (inside, beside))
    with pytest.raises(FileNotFoundError, match=r'no configs in .*\.mim/configs or .*make wheel'):
        mochi_mm.list_models()
    for folder, name in ((beside, 'of_a_clone'), (inside, 'of_a_wheel')):
        (folder / '_base_').mkdir(parents=True)
        (folder / f'{name}.py').write_text('')
        (folder / '_base_/part.py').write_text('')
        assert mochi_mm.list_models() == [name]
    assert named_configs.find_config('of_a_wheel') == inside / 'of_a_wheel.py'


def test_a_command_line_takes_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parser = ToolParser()
    parser.add_config()
    name = mochi_mm.list_models('mochi-*quickstart*')[0]
    path = f'configs/mochi/{name}.py'
    monkeypatch.chdir(ROOT)
    assert parser.parse_args([name]).config == path
    monkeypatch.chdir(tmp_path)
    assert parser.parse_args([name]).config == str(ROOT / path)
    assert parser.parse_args([path]).config == str(ROOT / path)
    for other in ('none', f'{name}.py', f'./{name}', 'configs/none.py', 'mochi/'):
        assert parser.parse_args([other]).config == other
    (tmp_path / name).touch()  # what lies here comes first
    assert parser.parse_args([name]).config == name
    (tmp_path / name).unlink()
    monkeypatch.setattr(named_configs, '_PLACES', (tmp_path / 'none',))
    assert parser.parse_args([name]).config == name  # a package without configs


def test_near_names_are_in_the_error() -> None:
    with pytest.raises(
        KeyError, match=r"called 'simclr_resnet18'\. Nearest names: simclr_resnet18_1xb"
    ):
        named_configs.find_config('simclr_resnet18')
