"""What a command line says of paths, seeds and devices, and of what may differ at a resume."""

from __future__ import annotations

import argparse
import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.arguments import (
    ToolParser,
    device,
    file_to_write,
    folder_to_write,
    picture_to_write,
    seed,
)
from mochi_mm.launch.check_surroundings import check_checkpoint
from mochi_mm.launch.check_values import check_values
from mochi_mm.launch.config import load_config
from tests.toy_runner import REPOSITORY


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('HOME', str(tmp_path))
    return tmp_path


def test_home_in_arguments(home: Path) -> None:
    parser = ToolParser()
    parser.add_argument('path')
    parser.add_argument('--out', type=Path)
    parser.add_argument('--also', nargs='+')
    args = parser.parse_args(['~/a.pth', '--out=~/b', '--also', '~/c', 'd~'])
    assert args.path == f'{home}/a.pth' and args.out == home / 'b'
    assert args.also == [f'{home}/c', 'd~']
    (home / 'a.pth').touch()
    check_checkpoint('~/a.pth')


def test_home_in_configs_and_options(home: Path) -> None:
    text = "work_dir = '~/w'\nroot = '~/data'\nmodel = dict(file='$root', other='a~', home='~')"
    (home / 'config.py').write_text(text)
    config = load_config(home / 'config.py')
    assert config.work_dir == f'{home}/w' and config.model.file == f'{home}/data'
    assert config.model.other == 'a~' and config.model.home == str(home)
    config = load_config(home / 'config.py', {'work_dir': '~/x', 'root': '~/y'})
    assert config.work_dir == f'{home}/x' and config.model.file == f'{home}/y'


@pytest.fixture(scope='module')
def train() -> Any:
    return runpy.run_path(str(REPOSITORY / 'tools/train.py'))


def test_home_as_work_dir(home: Path, train: Any) -> None:
    (home / 'config.py').write_text('train_cfg = dict(max_epochs=1)')
    args = train['parse_args']([f'{home}/config.py', '--work-dir=~/runs'])
    assert train['read_config'](args).work_dir == f'{home}/runs'


def test_what_may_differ(tmp_path: Path, train: Any, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / 'config.py').write_text('train_cfg = dict(max_epochs=1)')
    path = str(tmp_path / 'config.py')
    with pytest.raises(SystemExit):
        train['parse_args']([path, '--resume', '--allow-changed', 'setings'])
    assert "invalid choice: 'setings' (choose from 'weights'" in capsys.readouterr().err
    words = ['--allow-changed', 'settings']
    with pytest.raises(ValueError, match='settings says what may differ.*--resume beside'):
        train['read_config'](train['parse_args']([path, *words]))
    for more in (['--resume'], ['--cfg-options', 'resume=True']):
        train['read_config'](train['parse_args']([path, *words, *more]))


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        (['setings'], 'names setings; .*Nearest: settings'),
        ('settings', r"'settings'; expected a list, such as resume_allow=\['settings'\]"),
        ([3], r'\[3\]; expected a list'),
    ],
)
def test_what_a_config_allows_to_differ(value: Any, message: str) -> None:
    check_values(dict(resume_allow=['settings', 'dataset']))
    with pytest.raises(ValueError, match=f'resume_allow (is )?{message}'):
        check_values(dict(resume_allow=value))


@pytest.mark.parametrize('text', ['-1', '1.5', 'x', ''])
def test_a_seed_is_an_integer_from_0_on(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='is no seed; expected an integer from 0'):
        seed(text)
    assert seed('12') == 12


@pytest.mark.parametrize('text', ['foo', 'cuda:', 'cuda:x', 'cpu:0x', ''])
def test_a_device_is_one_that_there_may_be(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='is no device; expected cpu, cuda'):
        device(text)
    assert device('cuda:1') == 'cuda:1'


@pytest.mark.parametrize('asked', [file_to_write, folder_to_write])
def test_a_folder_without_permission(
    asked: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'shut').mkdir()
    monkeypatch.setattr(os, 'access', lambda path, mode: Path(path).name != 'shut')
    assert asked(str(tmp_path / 'x')) == tmp_path / 'x'
    for below in ('x', 'deep/x'):
        with pytest.raises(argparse.ArgumentTypeError, match=r'/shut cannot be written to by'):
            asked(str(tmp_path / 'shut' / below))


def test_what_is_written_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    assert file_to_write(str(tmp_path / 'new/x.json')) == tmp_path / 'new/x.json'
    for text, words in ((tmp_path, 'is a folder'), (tmp_path / 'file/x', 'file is a file')):
        with pytest.raises(argparse.ArgumentTypeError, match=words):
            file_to_write(str(text))
    with pytest.raises(argparse.ArgumentTypeError, match='is a folder; expected a file'):
        file_to_write('new/')
    assert folder_to_write(str(tmp_path)) == tmp_path
    assert folder_to_write(str(tmp_path / 'new/deep/')) == tmp_path / 'new/deep'
    for text in ('file', 'file/x'):
        with pytest.raises(argparse.ArgumentTypeError, match='file is a file; expected a folder'):
            folder_to_write(str(tmp_path / text))
    assert picture_to_write('a.PNG').name == 'a.PNG'
    for text in ('views', 'v.xyz'):
        with pytest.raises(argparse.ArgumentTypeError, match='has no ending of a picture'):
            picture_to_write(text)
