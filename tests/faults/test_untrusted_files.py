"""Files from elsewhere are read as data on every path that reads one.

python -m pytest tests/faults/test_untrusted_files.py

The payloads are harmless: read as code they would make an empty file, and none of them does.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.registry import init_default_scope

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_backbone, load_for_test
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.registry import MODELS
from tests.faults.payload import Marker
from tests.models.algorithms.toy import build_moco, moco_config
from tests.toy_runner import REPOSITORY, runner_config, train


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / 'executed'


@pytest.fixture
def file(tmp_path: Path, marker: Path) -> Path:
    """A checkpoint that fits the toy model and holds an object beside its weights."""
    path = tmp_path / 'untrusted.pth'
    torch.save(dict(state_dict=build_moco().state_dict(), extra=Marker(marker)), path)
    return path


def test_the_payload_would_work(file: Path, marker: Path) -> None:
    torch.load(file, weights_only=False)
    assert marker.exists()


def by_load_from(path: Path, folder: Path) -> None:
    config = runner_config(folder, max_epochs=1)
    config.load_from = str(path)
    train(config)


def by_resume(path: Path, folder: Path) -> None:
    config = runner_config(folder, max_epochs=1)
    config.load_from, config.resume = str(path), True
    train(config)


def by_automatic_resume(path: Path, folder: Path) -> None:
    folder.mkdir()
    path.rename(folder / 'epoch_1.pth')
    config = runner_config(folder, max_epochs=1)
    config.resume = True
    train(config)


def by_pretrained(path: Path, folder: Path) -> None:
    config = runner_config(folder, max_epochs=1)
    config.pretrained = str(path)
    config.custom_hooks = [dict(type='PretrainedHook')]
    train(config)


def by_init_cfg(path: Path, folder: Path) -> None:
    init_default_scope('mochi_mm')
    backbone = dict(
        moco_config()['backbone'],
        init_cfg=dict(type='Pretrained', checkpoint=str(path), prefix='backbone'),
    )
    MODELS.build(backbone).init_weights()


def by_init_cfg_of_another_library(path: Path, folder: Path) -> None:
    """A part that is initialized in another scope goes through the runner's own look first."""
    config = runner_config(folder, max_epochs=1)
    config.model.backbone.init_cfg = dict(type='mmengine.Pretrained', checkpoint=str(path))
    train(config)


PATHS: dict[str, Callable[[Path, Path], Any]] = {
    'read_checkpoint': lambda path, folder: read_checkpoint(path),
    'load_backbone': lambda path, folder: load_backbone(build_moco(), path),
    'load_for_test': lambda path, folder: load_for_test(build_moco(), path),
    'load_from': by_load_from,
    'resume': by_resume,
    'automatic resume': by_automatic_resume,
    'pretrained': by_pretrained,
    'init_cfg': by_init_cfg,
    'init_cfg of another library': by_init_cfg_of_another_library,
}


@pytest.mark.parametrize('name', PATHS)
def test_nothing_is_executed(name: str, file: Path, marker: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'(?s)\.pth.*(trust\.py|Path|touch)'):
        PATHS[name](file, tmp_path / 'run')
    assert not marker.exists()


def test_what_other_libraries_allow_is_not_allowed(tmp_path: Path) -> None:
    torch.save(dict(history=HistoryBuffer([1.0], [1])), tmp_path / 'hub.pth')
    with (
        torch.serialization.safe_globals([HistoryBuffer]),
        pytest.raises(ValueError, match=r'HistoryBuffer.*trust\.py'),
    ):
        read_checkpoint(tmp_path / 'hub.pth')


def test_the_old_format_is_read_as_data_too(tmp_path: Path, marker: Path) -> None:
    path = tmp_path / 'old.pth'
    torch.save({'weight': torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    assert torch.equal(read_checkpoint(path)['weight'], torch.ones(2))
    torch.save(dict(extra=Marker(marker)), path, _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match=r'old\.pth'):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps(Marker(marker)))
    with pytest.raises(ValueError, match=r'old\.pth'):
        read_checkpoint(path)
    assert not marker.exists()


def test_config_text_in_a_checkpoint_stays_text(tmp_path: Path, marker: Path) -> None:
    """The engine runs ``meta['config']`` as Python when it resumes."""
    folder = tmp_path / 'run'
    train(runner_config(folder, max_epochs=1))
    content = read_checkpoint(folder / 'epoch_1.pth')
    text = f'open({str(marker)!r}, "w")\n'
    content['meta'].update(config=text, cfg=text)
    torch.save(content, tmp_path / 'changed.pth')
    config = runner_config(folder, max_epochs=2)
    config.load_from, config.resume = str(tmp_path / 'changed.pth'), True
    config.experiment_name += 'resumed'
    assert train(config).epoch == 2
    assert not marker.exists()


def test_settings_that_name_pickles_are_refused(tmp_path: Path) -> None:
    config = runner_config(tmp_path)
    config.train_dataloader.dataset.ann_file = 'annotations/train.pkl'
    with pytest.raises(ValueError, match=r'train_dataloader\.dataset\.ann_file.*train\.pkl.*JSON'):
        check_config(config)
    foreign = Config(dict(default_scope='mmdet', train_dataloader=dict(ann_file='train.pickle')))
    with pytest.raises(ValueError, match=r'train\.pickle'):
        check_config(foreign)


def test_configs_are_python_files(tmp_path: Path) -> None:
    (tmp_path / 'config.yaml').write_text('a: 1\n')
    with pytest.raises(ValueError, match=r'config\.yaml is no config; expected a Python file'):
        load_config(tmp_path / 'config.yaml')


@pytest.mark.parametrize('name', ['https://example.com/w.pth', 'torchvision://resnet50'])
def test_addresses_are_not_fetched(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='is an address; expected the path of a local file'):
        by_load_from(name, tmp_path / 'run')  # type: ignore[arg-type]


def test_the_converter_runs_it_after_a_warning(tmp_path: Path, marker: Path) -> None:
    """It is for files of known origin, and says what it does; what it writes is data."""
    old, new = tmp_path / 'old.pth', tmp_path / 'new/new.pth'
    content = dict(
        state_dict={'w': torch.arange(3.0)}, history=HistoryBuffer([1.0], [1]), at=Marker(marker)
    )
    torch.save(content, old)
    tool = str(REPOSITORY / 'tools/converters/trust.py')
    result = subprocess.run([sys.executable, tool, old, new], text=True, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert 'WARNING: reading' in result.stderr and marker.exists()
    assert 'checkpoint.history (mmengine.logging.history_buffer.HistoryBuffer)' in result.stdout
    assert torch.equal(read_checkpoint(new)['state_dict']['w'], torch.arange(3.0))


def test_the_converter_refuses_what_is_no_dict(tmp_path: Path) -> None:
    """A whole module has no plain form; nothing is written, and what was there stays."""
    old, new = tmp_path / 'old.pth', tmp_path / 'new.pth'
    torch.save(torch.nn.Linear(2, 2), old)
    new.write_text('of before')
    tool = str(REPOSITORY / 'tools/converters/trust.py')
    result = subprocess.run([sys.executable, tool, old, new], text=True, capture_output=True)
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 2 and 'holds a torch.nn.modules.linear.Linear' in last
    assert 'state_dict()' in last and new.read_text() == 'of before'
    assert {path.name for path in tmp_path.iterdir()} == {'old.pth', 'new.pth'}
