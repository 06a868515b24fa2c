"""A probe's backbone is proved unchanged; one that changed stops the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook

from mochi_mm.files.checkpoint import load_for_test
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import HOOKS
from tests.toy_runner import VIEW, runner_config, train


@HOOKS.register_module(force=True)
class NudgeHook(Hook):
    """Writes into one running statistic, as a batch norm in training mode would."""

    def after_train_epoch(self, runner: Any) -> None:
        runner.model.backbone.bn1.running_mean[0] += 1e-6


def probe_config(folder: Path, pretrained: str, *hooks: dict, freeze: bool = True) -> Any:
    backbone = runner_config(folder).model.backbone
    config = runner_config(folder, custom_hooks=[dict(type='PretrainedHook'), *hooks])
    config.model = dict(
        type='ImageClassifier',
        backbone=backbone,
        head=dict(type='LinearHead', num_classes=3, in_channels=64),
        freeze_backbone=freeze,
    )
    config.train_dataloader.dataset.pipeline = [*VIEW, dict(type='PackInputs')]
    config.pretrained = pretrained
    return config


@pytest.fixture(scope='module')
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp('pretrained')
    train(runner_config(folder, max_epochs=1))
    return str(folder / 'epoch_1.pth')


def test_a_frozen_backbone_is_unchanged(tmp_path: Path, pretrained: str) -> None:
    runner = train(probe_config(tmp_path, pretrained))
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'the frozen backbone is unchanged (digest' in log
    assert not list(tmp_path.glob('*.safetensors'))  # nothing new to keep
    # A resumed probe compares with what the first one started from.
    with torch.no_grad():
        runner.model.backbone.conv1.weight[0] += 1
    with pytest.raises(RuntimeError, match='the frozen backbone changed during training'):
        next(h for h in runner.hooks if type(h).__name__ == 'PretrainedHook').after_train(runner)


def test_one_statistic_is_enough_to_stop(tmp_path: Path, pretrained: str) -> None:
    nudge = dict(type='NudgeHook')
    with pytest.raises(RuntimeError, match='the frozen backbone changed during training'):
        train(probe_config(tmp_path / 'frozen', pretrained, nudge))
    train(probe_config(tmp_path / 'tuned', pretrained, nudge, freeze=False))


def test_a_head_that_was_never_trained_is_not_tested(tmp_path: Path, pretrained: str) -> None:
    runner = build_runner(probe_config(tmp_path, pretrained))
    backbone = Path(pretrained).with_name('backbone_epoch_1.safetensors')
    for path in (pretrained, str(backbone)):
        with pytest.raises(ValueError, match='has no trained head|no weight of|lacks'):
            load_for_test(runner.model, path)
    with pytest.raises(ValueError, match=r'has no trained head: it lacks head\.fc\.weight'):
        load_for_test(runner.model, pretrained)
