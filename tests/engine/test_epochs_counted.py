"""An interval in epochs is refused where a run counts iterations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.engine.loops import EpochBasedTrainLoop
from tests.toy_runner import VIEW, runner_config, train

LOADER = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='NoiseImages', size=8, pipeline=[*VIEW[:1], dict(type='PackInputs')]),
)


def by_iteration(folder: Path, hook: dict[str, Any]) -> Any:
    config = runner_config(folder, custom_hooks=[hook])
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=3)
    config.train_dataloader.sampler = dict(type='KeyedSampler', infinite=True)
    config.param_scheduler = []
    config.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    return config


@pytest.mark.parametrize(
    'hook',
    [
        dict(type='KNNHook', bank_dataloader=LOADER, query_dataloader=LOADER, k=2),
        dict(type='AnalysisHook', dataloader=LOADER),
        dict(type='OnlineProbeHook', num_classes=3, query_dataloader=LOADER),
        dict(type='RepresentationGuardHook', dataloader=LOADER, k=2),
    ],
)
def test_a_run_without_epochs_is_refused_before_its_first_step(tmp_path: Path, hook: dict) -> None:
    config = by_iteration(tmp_path, dict(hook, interval=2))
    message = rf'{hook["type"]} has interval=2, .* counts iterations \(max_iters=3\).*max_epochs='
    with pytest.raises(ValueError, match=message):
        train(config)
    assert not list(tmp_path.glob('*.pth'))


def test_a_probe_that_looks_at_no_queries_has_no_interval(tmp_path: Path) -> None:
    hook = dict(type='OnlineProbeHook', num_classes=3)
    runner = train(by_iteration(tmp_path, hook))
    assert len(runner.message_hub.get_scalar('train/probe/loss').data[0]) == 3
    assert not isinstance(runner.train_loop, EpochBasedTrainLoop)
