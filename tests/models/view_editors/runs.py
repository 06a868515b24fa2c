"""Runs in the batch with view editors, interrupted and straight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.view_editors import test_base_view_editor as base
from tests.toy_runner import runner_config, train


def in_batch(editors: list[dict[str, Any]], head: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A model in the batch, small enough to train in a test."""
    return dict(
        type='InBatchContrast',
        backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'),
        neck=dict(type='MLPNeck', in_channels=64, out_channels=8),
        head=head,
        view_editors=editors,
        **kwargs,
    )


def straight_and_resumed(config: Callable[[str], Any], iterations: int) -> tuple[Any, Any]:
    """A run as it is, and one that is interrupted and gone on with: the same state, bit for bit.

    Args:
        config: Returns the config of a run by the name of its folder; it saves every 2 iterations.
        iterations: Those of the run that is interrupted.
    """
    straight = train(config('straight'))
    first = config('parts')
    first.custom_hooks = [dict(type=base.StopAfterIteration.__name__, iterations=iterations)]
    with pytest.raises(KeyboardInterrupt):
        train(first)
    second = config('parts')
    second.resume, second.experiment_name = True, second.experiment_name + 'resumed'
    resumed = train(second)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    return straight, resumed


def assert_resumes(folder: Path, editors: list[dict[str, Any]], head: dict[str, Any]) -> None:
    """Two epochs, interrupted within the second, equal the straight run bit for bit."""
    torch.set_num_threads(1)

    def config(name: str) -> Any:
        torch.manual_seed(0)
        config = runner_config(folder / name)
        config.model = in_batch(editors, head)
        config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=2)
        return config

    scalars = [run.message_hub.log_scalars for run in straight_and_resumed(config, 7)]
    losses = [scalars[i]['train/loss_contrast'].data[0].tolist() for i in range(2)]
    assert losses[0] == losses[1] and len(set(losses[0])) == 8
