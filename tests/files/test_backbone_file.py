"""The clean backbone beside a checkpoint: written, read by every door, deleted with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope

from mochi_mm.engine.hooks import CheckpointHook, checkpoint_hook
from mochi_mm.engine.initializers import Pretrained
from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.backbone_file import backbone_path
from mochi_mm.files.checkpoint import load_for_test, read_checkpoint
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.registry import MODELS
from tests.toy_runner import runner_config, train


def backbones(folder: Path) -> set[str]:
    return {path.name for path in folder.glob('*.safetensors')}


def test_the_newest_has_one_and_it_reads_everywhere(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=3)
    train(config)
    assert {p.name for p in tmp_path.glob('*.pth')} == {f'epoch_{n}.pth' for n in (1, 2, 3)}
    assert backbones(tmp_path) == {'backbone_epoch_3.safetensors'}
    full, path = tmp_path / 'epoch_3.pth', backbone_path(tmp_path / 'epoch_3.pth')
    saved, content = read_checkpoint(full), read_checkpoint(path)
    wanted = {n[9:]: t for n, t in saved['state_dict'].items() if n.startswith('backbone.')}
    assert set(content['state_dict']) == set(wanted)
    assert all(torch.equal(t, wanted[n]) for n, t in content['state_dict'].items())
    assert content['meta']['mochi_mm'] == saved['meta']['mochi_mm']
    metadata = read_safetensors(path)[1]
    assert metadata['source_sha256'] == sha256_of(full) and metadata['source'] == full.name
    assert json.loads(metadata['mean']) == saved['meta']['mochi_mm']['mean']
    init_default_scope('mochi_mm')
    settings = dict(type='ImageClassifier', backbone=config.model.backbone.to_dict())
    model = MODELS.build(settings)
    assert 'weights matched' in load_for_test(model, path)
    assert torch.equal(model.backbone.conv1.weight, wanted['conv1.weight'])
    other = MODELS.build(settings).backbone
    Pretrained(str(path))(other)
    assert torch.equal(other.conv1.weight, wanted['conv1.weight'])


def test_a_frozen_probe_and_a_detector_write_none() -> None:
    init_default_scope('mochi_mm')
    backbone = dict(type='ResNet', depth=10, width=0.125)
    head = dict(type='LinearHead', num_classes=2, in_channels=64)
    probe = MODELS.build(
        dict(type='ImageClassifier', backbone=backbone, head=head, freeze_backbone=True)
    )
    tuned = MODELS.build(dict(type='ImageClassifier', backbone=backbone, head=head))
    assert not checkpoint_hook.trains_backbone(probe)
    assert checkpoint_hook.trains_backbone(tuned)
    assert not checkpoint_hook.trains_backbone(torch.nn.Linear(1, 1))


def test_it_goes_with_its_checkpoint_and_the_best_keeps_its_own(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=2)
    config.default_hooks.checkpoint.max_keep_ckpts = 1
    runner = train(config)
    hook = CheckpointHook(save_best='accuracy/top1')
    hook._training = True
    for epoch, value in enumerate([10.0, 30.0, 20.0], start=1):
        runner.train_loop._epoch = epoch
        hook.after_val_epoch(runner, {'accuracy/top1': value})
        best = f'backbone_best_accuracy_top1_epoch_{min(epoch, 2)}.safetensors'
        assert backbones(tmp_path) == {'backbone_epoch_2.safetensors', best}
    hook._save_or_wait(runner, 3, 12, 'epoch_3')
    assert 'backbone_epoch_3.safetensors' in backbones(tmp_path)
    assert 'backbone_epoch_2.safetensors' not in backbones(tmp_path) and len(best) > 0


def test_it_can_be_left_out(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=1)
    config.default_hooks.checkpoint.save_backbone = False
    train(config)
    assert backbones(tmp_path) == set()


def test_a_full_disk_costs_the_backbone_alone(tmp_path: Path, monkeypatch: Any) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(checkpoint_hook, 'write_backbone', full)
    train(runner_config(tmp_path, max_epochs=1))
    assert (tmp_path / 'epoch_1.pth').is_file() and backbones(tmp_path) == set()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'the backbone of' in log and 'The checkpoint is whole' in log


def test_safetensors_files(tmp_path: Path) -> None:
    path = tmp_path / 'a.safetensors'
    layout = torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    assert write_safetensors(path, dict(a=layout), dict(x='y')) == sha256_of(path)
    tensors, metadata = read_safetensors(path)
    assert torch.equal(tensors['a'], layout) and metadata == dict(format='pt', x='y')
    assert read_checkpoint(path).keys() == {'state_dict'}
    (tmp_path / 'torn.safetensors').write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match='cannot be read as safetensors'):
        read_checkpoint(tmp_path / 'torn.safetensors')
    with pytest.raises(FileNotFoundError, match='no weights at'):
        read_checkpoint(tmp_path / 'none.safetensors')
