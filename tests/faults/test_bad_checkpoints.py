"""Checkpoints that are damaged, or not of this run: each has one documented outcome.

python -m pytest tests/faults/test_bad_checkpoints.py
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import manifest_path, newest_valid
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import runner_config, train


@pytest.fixture(scope='module')
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work dir with the checkpoints of epochs 1 and 2."""
    folder = tmp_path_factory.mktemp('finished') / 'run'
    train(runner_config(folder))
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil; that it was moved is part of the test."""
    return Path(shutil.copytree(finished, tmp_path / 'copy'))


def resumed_from(folder: Path, name: str | None = None, allowed: list[str] | None = None) -> int:
    """Return the epoch that a run in ``folder`` goes on from."""
    config = runner_config(folder, max_epochs=2)
    config.resume, config.resume_allow = True, allowed or []
    config.load_from = None if name is None else str(folder / name)
    config.experiment_name = f'{folder}_{name}_{allowed}'
    runner = build_runner(config)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner.load_or_resume()
    return runner.epoch


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b'')


def text(path: Path) -> None:
    path.write_text('no checkpoint')


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def without_manifest(damage: Callable[[Path], None]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        damage(path)
        manifest_path(path).unlink()

    return apply


DAMAGES = {
    'cut': cut,
    'empty': empty,
    'text': text,
    'a flipped bit': flip_a_bit,
    'cut, no manifest': without_manifest(cut),
    'empty, no manifest': without_manifest(empty),
    'text, no manifest': without_manifest(text),
    'a flipped bit, no manifest': without_manifest(flip_a_bit),
}


@pytest.mark.parametrize('name', DAMAGES)
def test_the_one_before_is_taken(folder: Path, name: str) -> None:
    assert resumed_from(folder) == 2
    DAMAGES[name](folder / 'epoch_2.pth')
    assert resumed_from(folder) == 1
    path, refused = newest_valid(folder)
    assert path == folder / 'epoch_1.pth' and len(refused) == 1
    assert str(folder / 'epoch_2.pth') in refused[0]


def test_none_is_whole(folder: Path) -> None:
    cut(folder / 'epoch_1.pth')
    empty(folder / 'epoch_2.pth')
    with pytest.raises(ValueError, match=r'2 checkpoints .* none is whole.*epoch_2.*epoch_1'):
        resumed_from(folder)


def flip_in_directory(field: int, bit: int) -> Callable[[Path], None]:
    """Damage a field of the zip file's first directory entry."""

    def apply(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[data.find(b'PK\x01\x02') + field] ^= bit
        path.write_bytes(data)

    return apply


ODD = {
    'needs a version of zip that nobody has': flip_in_directory(6, 0x80),
    'says that it is encrypted': flip_in_directory(8, 0x01),
    'says that it is compressed': flip_in_directory(10, 0x08),
    'a link to nowhere': lambda path: (path.unlink(), path.symlink_to('/nowhere'))[1],
    'a folder': lambda path: (path.unlink(), path.mkdir())[1],
}


@pytest.mark.parametrize('name', ODD)
@pytest.mark.parametrize('manifest', [True, False])
def test_whatever_is_wrong_leaves_a_file_out(folder: Path, name: str, manifest: bool) -> None:
    odd = folder / 'iter_9.pth'
    odd.write_bytes((folder / 'epoch_2.pth').read_bytes())
    if manifest:
        about = json.loads(manifest_path(folder / 'epoch_2.pth').read_text())
        manifest_path(odd).write_text(json.dumps({**about, 'saved': 2 * about['saved']}))
    ODD[name](odd)
    path, refused = newest_valid(folder)
    assert path == folder / 'epoch_2.pth' and len(refused) == 1 and str(odd) in refused[0]


@pytest.mark.parametrize('manifest', [None, b'', b'{"file": 1}', b'[]'])
def test_a_missing_or_torn_manifest_costs_nothing(folder: Path, manifest: bytes | None) -> None:
    """A kill can come between a checkpoint and its manifest; then checksums inside it count."""
    path = manifest_path(folder / 'epoch_2.pth')
    path.unlink() if manifest is None else path.write_bytes(manifest)
    assert resumed_from(folder) == 2


def test_the_pointer_is_for_people(folder: Path) -> None:
    assert (folder / 'last_checkpoint').read_text() == 'epoch_2.pth'
    (folder / 'last_checkpoint').write_text('/no/such/file')
    assert resumed_from(folder) == 2


def drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return change


def rename_weight(content: dict[str, Any]) -> None:
    state = content['state_dict']
    state['neck.layers.9.weight'] = state.pop('neck.layers.0.weight')


def reshape_weight(content: dict[str, Any]) -> None:
    content['state_dict']['neck.layers.0.weight'] = torch.zeros(2, 2)


def reshape_momentum(content: dict[str, Any]) -> None:
    content['optimizer']['state'][0]['momentum_buffer'] = torch.zeros(2, 2)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str, list[str] | None]] = {
    'weight missing': (
        drop('state_dict', 'neck.layers.0.weight'),
        r'1 weights of the model are missing.*neck\.layers\.0\.weight',
        ['weights'],
    ),
    'weight of another name': (rename_weight, r'missing.*1 in it are not used', ['weights']),
    'weight of another shape': (reshape_weight, r'another shape.*\(2, 2\)', None),
    'no optimizer': (drop('optimizer'), 'it holds no optimizer state', ['optimizer']),
    'momentum of another shape': (reshape_momentum, r'momentum_buffer.*\(2, 2\)', ['optimizer']),
    'no position': (drop('meta', 'epoch'), r'it lacks meta\.epoch', None),
    'no schedules': (drop('param_schedulers'), 'it lacks param_schedulers', None),
    'of another program': (drop('meta', 'run'), r'it lacks meta\.run', None),
    'two processes': (
        lambda content: content['meta']['run'].update(world_size=2),
        'processes: 2 -> 1',
        ['world_size'],
    ),
    'more images': (
        lambda content: content['meta']['run'].update(dataset=99),
        'samples: 99 -> 16',
        ['dataset'],
    ),
}


@pytest.mark.parametrize('name', CHANGES)
def test_what_does_not_fit_is_refused_and_named(folder: Path, name: str) -> None:
    change, message, allowance = CHANGES[name]
    content = read_checkpoint(folder / 'epoch_2.pth')
    change(content)
    torch.save(content, folder / 'changed.pth')
    with pytest.raises(ValueError, match=f'(?s){message}') as refused:
        resumed_from(folder, 'changed.pth')
    assert 'changed.pth' in str(refused.value)
    if allowance:
        assert resumed_from(folder, 'changed.pth', allowance) == 2
        with pytest.raises(ValueError, match=message):
            resumed_from(
                folder, 'changed.pth', [a for a in ('weights', 'dataset') if a not in allowance]
            )


def test_an_unknown_allowance_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match='resume_allow names wheights; expected some of weights'):
        resumed_from(folder, None, ['wheights'])
