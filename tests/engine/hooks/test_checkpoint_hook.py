"""What is kept, what is called best, and what a checkpoint says about its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.engine.hooks import CheckpointHook
from mochi_mm.utils.atomic_file import sha256_of
from mochi_mm.utils.checkpoint import read_checkpoint
from mochi_mm.utils.checkpoint_folder import manifest_path, newest_valid
from tests.toy_runner import runner_config, train


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob('*.pth')}


def test_the_newest_are_kept_with_their_manifests(tmp_path: Path) -> None:
    (tmp_path / '.epoch_9.pth.left.partial').write_text('of a killed run')
    config = runner_config(tmp_path, max_epochs=4)
    config.default_hooks.checkpoint.max_keep_ckpts = 2
    train(config)
    assert names(tmp_path) == {'epoch_3.pth', 'epoch_4.pth'}
    assert not list(tmp_path.glob('.*'))
    assert len(list(tmp_path.glob('*.pth.json'))) == 2
    manifest = json.loads(manifest_path(tmp_path / 'epoch_4.pth').read_text())
    assert manifest['sha256'] == sha256_of(tmp_path / 'epoch_4.pth')
    assert (manifest['epoch'], manifest['iter'], manifest['file']) == (4, 16, 'epoch_4.pth')
    about = read_checkpoint(tmp_path / 'epoch_4.pth')['meta']['mochi_mm']
    assert about['channel_order'] == 'rgb' and about['algorithm'] == 'MoCo'
    assert about['mean'] == pytest.approx([123.675, 116.28, 103.53])
    stated = dict(type='ResNet', depth=10, width=0.125, stem='small')
    assert {key: about['backbone'][key] for key in stated} == stated
    assert about['backbone']['frozen_stages'] == -1  # defaults are written out


def test_a_new_run_in_an_old_folder_is_warned_about_and_keeps_its_own(tmp_path: Path) -> None:
    train(runner_config(tmp_path, max_epochs=3))
    config = runner_config(tmp_path, max_epochs=1)
    config.default_hooks.checkpoint.max_keep_ckpts = 1
    config.experiment_name += 'again'
    config.log_level = 'WARNING'
    train(config)
    assert names(tmp_path) == {'epoch_1.pth'}
    logs = ''.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert 'holds 3 checkpoints of an earlier run' in logs


def test_saving_waits_for_the_optimiser(tmp_path: Path) -> None:
    """4 iterations an epoch, steps at 3, 6, 9 and 12."""
    config = runner_config(tmp_path, max_epochs=3)
    config.optim_wrapper.accumulative_counts = 3
    train(config)
    assert names(tmp_path) == {'iter_6.pth', 'iter_9.pth', 'epoch_3.pth'}
    meta = read_checkpoint(tmp_path / 'iter_6.pth')['meta']
    assert (meta['epoch'], meta['iter']) == (1, 6)


class Logger:
    def info(self, text: str) -> None: ...
    def log(self, level: int, text: str) -> None: ...


def test_the_best_is_whole_and_only_one(tmp_path: Path, monkeypatch: Any) -> None:
    """The hook by itself, on a run that has just been trained."""
    runner = train(runner_config(tmp_path, max_epochs=1))
    hook = CheckpointHook(save_best='accuracy/top1')
    hook._training = True
    for epoch, value in enumerate([10.0, 30.0, 20.0, float('nan'), 40.0], start=1):
        runner.train_loop._epoch = epoch
        hook.after_val_epoch(runner, {'accuracy/top1': value})
        best = [path.name for path in tmp_path.glob('best_*.pth')]
        assert best == [f'best_accuracy_top1_epoch_{ {3: 2, 4: 2}.get(epoch, epoch) }.pth']
        assert newest_valid(tmp_path)[0].name == best[0]
    with pytest.raises(KeyError, match='not among the validation metrics; they are loss'):
        hook.after_val_epoch(runner, {'loss': 1.0})
