"""A model is not trained without the hooks that it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import runner_config


@pytest.mark.parametrize(
    ('hook', 'message'),
    [
        ('ema_update', 'MoCo waits for EMAUpdateHook.*averaged encoder would never move'),
        ('keyed_random', 'waits for KeyedRandomHook.*draws would depend on what was drawn'),
        ('set_epoch', 'waits for SetEpochHook.*stay in the first epoch.*default_hooks.set_epoch'),
    ],
)
def test_a_hook_that_is_missing(tmp_path: Path, hook: str, message: str) -> None:
    config = runner_config(tmp_path)
    config.default_hooks[hook] = None
    with pytest.raises(ValueError, match=message):
        build_runner(config).train()
    assert not list(tmp_path.glob('*.pth'))


def test_labels_that_nobody_makes(tmp_path: Path) -> None:
    labels = dict(type='PseudoLabels', length=24, num_clusters=[3])
    config = runner_config(tmp_path)
    config.model.head = dict(
        type='PseudoLabelHead', memory=config.model.head.memory, pseudo_labels=labels
    )
    with pytest.raises(ValueError, match='PseudoLabels waits for PseudoLabelHook.*in custom_hooks'):
        build_runner(config).train()


def test_a_hook_that_is_there_twice(tmp_path: Path) -> None:
    """Its average would move twice a step."""
    config = runner_config(tmp_path, custom_hooks=[dict(type='EMAUpdateHook')])
    with pytest.raises(ValueError, match=r'custom_hooks\[0\] is a EMAUpdateHook, which default_ho'):
        check_config(config)
    config.default_hooks.ema_update = None
    check_config(config)


@pytest.mark.parametrize('sampler', [dict(type='KeyedSampler', infinite=True), 'InfiniteSampler'])
def test_an_epoch_without_an_end(tmp_path: Path, sampler: object) -> None:
    config = runner_config(tmp_path)
    config.train_dataloader.sampler = dict(type=sampler) if isinstance(sampler, str) else sampler
    with pytest.raises(ValueError, match='has no end, and train_cfg counts epochs'):
        build_runner(config).train()


def test_parts_of_a_validation(tmp_path: Path) -> None:
    config = runner_config(tmp_path, val_cfg=dict())
    with pytest.raises(ValueError, match='has val_cfg but no val_dataloader nor val_evaluator'):
        check_config(config)
    config = runner_config(tmp_path, auto_scale_lr=dict(base_batch_size=0))
    with pytest.raises(ValueError, match='base_batch_size is 0; expected an integer >= 1'):
        check_config(config)
