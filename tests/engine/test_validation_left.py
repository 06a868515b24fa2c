"""A run killed in a validation has it when it goes on, and is then the straight one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook

from mochi_mm.models.algorithms.moco import MoCo
from mochi_mm.registry import HOOKS, METRICS, MODELS
from tests.toy_runner import runner_config, train


@MODELS.register_module(force=True)
class SumMoCo(MoCo):
    """Predicts the sum of its weights."""

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = 'tensor') -> Any:
        if mode != 'predict':
            return super().forward(inputs, data_samples, mode)
        return [sum(p.detach().double().sum() for p in self.parameters())]


@METRICS.register_module(force=True)
class MeanMetric(BaseMetric):
    """The mean of what is predicted."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(float(data_samples[0]))

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return dict(m=sum(results) / len(results))


@HOOKS.register_module(force=True)
class DieInValHook(Hook):
    """Ends the run in a validation, as a kill would."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at

    def before_val(self, runner: Any) -> None:
        if runner.iter == self.at:
            raise KeyboardInterrupt


def config_of(folder: Path, kind: str, at: int | None = None) -> Any:
    """2 epochs of 4 iterations, or 8 iterations, with a validation every 4."""
    config = runner_config(folder)
    config.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=1)
    if kind == 'iterations':
        config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=8, val_interval=4)
        config.train_dataloader.sampler = dict(type='KeyedSampler', infinite=True)
        config.param_scheduler = []
    one = dict(type='MultiView', num_views=[1], transforms=[[dict(type='CenterCrop', size=16)]])
    config.val_dataloader = dict(
        batch_size=4,
        num_workers=0,
        sampler=dict(type='KeyedSampler', shuffle=False, round_up=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='NoiseImages', size=4, pipeline=[one, dict(type='PackInputs')]),
    )
    config.val_cfg, config.val_evaluator = dict(type='ValLoop'), [dict(type='MeanMetric')]
    config.model.type = 'SumMoCo'
    interval = 1 if kind == 'epochs' else 4
    config.default_hooks.checkpoint = dict(
        type='CheckpointHook', interval=interval, save_best='m', rule='less'
    )
    config.custom_hooks = [dict(type='DieInValHook', at=at)]
    config.resume, config.experiment_name = True, f'{folder}_{at}_{id(config)}'
    return config


def end_of(runner: Any, folder: Path) -> tuple[list[float], set[str]]:
    curve = runner.message_hub.get_scalar('val/m').data[0].tolist()
    return curve, {path.name for path in folder.glob('best_*.pth')}


@pytest.mark.parametrize('kind', ['epochs', 'iterations'])
@pytest.mark.parametrize('at', [4, 8])
def test_it_comes_first(tmp_path: Path, kind: str, at: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    straight = train(config_of(tmp_path / 'straight', kind))
    torch.manual_seed(0)
    with pytest.raises(KeyboardInterrupt):
        train(config_of(tmp_path / 'parts', kind, at))
    resumed = train(config_of(tmp_path / 'parts', kind))
    assert end_of(resumed, tmp_path / 'parts') == end_of(straight, tmp_path / 'straight')
    assert len(end_of(straight, tmp_path / 'straight')[0]) == 2
    for a, b in zip(straight.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)
