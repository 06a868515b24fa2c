"""The averaged encoder follows each optimizer step once, and knows how far the run is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from mochi_mm.engine.hooks import EMAUpdateHook


class Follows(nn.Module):
    """Writes down what it is called with, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def update_ema(self) -> None:
        self.calls.append('update')


class FollowsASchedule(Follows):
    """Wants to know the progress as well."""

    def set_progress(self, progress: float) -> None:
        self.calls.append(progress)


def calls(model: Any, stepped: list[bool]) -> list[Any]:
    for iteration, step in enumerate(stepped):
        wrapper = SimpleNamespace(should_update=lambda step=step: step)
        runner = SimpleNamespace(model=model, iter=iteration, max_iters=4, optim_wrapper=wrapper)
        EMAUpdateHook().after_train_iter(runner, iteration)
    return getattr(model, 'calls', [])


@pytest.mark.parametrize('stepped', [[True] * 4, [False, True, False, True], [False] * 4])
def test_one_update_for_each_step_of_the_optimizer(stepped: list[bool]) -> None:
    assert calls(Follows(), stepped) == ['update'] * sum(stepped)


def test_progress_is_told_before_each_update_and_at_every_iteration() -> None:
    expected = [0.0, 0.25, 'update', 0.5, 0.75, 'update']
    assert calls(FollowsASchedule(), [False, True, False, True]) == expected


def test_a_model_without_an_average_is_left_alone() -> None:
    assert calls(nn.Linear(2, 2), [True]) == []
