"""Parts of a model are told the epoch when it has changed, before the iteration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from mochi_mm.engine.hooks import SetEpochHook


class Counts(nn.Module):
    """Writes down every epoch that it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int]] = []

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        self.told.append((epoch, max_epochs))


def told(runner: Any, iterations: Any) -> list[tuple[int, int]]:
    """What the two parts of a model hear; the third does not listen."""
    parts = [Counts(), Counts()]
    runner.model = nn.Sequential(parts[0], nn.Linear(2, 2), nn.ModuleList([parts[1]]))
    hook = SetEpochHook()
    hook.before_train(runner)
    for changes in iterations:
        vars(runner).update(changes)
        hook.before_train_iter(runner, 0)
    assert parts[0].told == parts[1].told
    return parts[0].told


def test_epochs_of_a_loop_of_epochs() -> None:
    runner = SimpleNamespace(train_loop=object(), max_epochs=5)
    epochs = [dict(epoch=epoch) for epoch in (2, 2, 2, 3, 4, 4)]  # resumed in the third
    assert told(runner, epochs) == [(2, 5), (3, 5), (4, 5)]


@pytest.mark.parametrize(('length', 'iterations', 'epochs'), [(4, 7, 2), (4, 8, 2), (3, 7, 3)])
def test_epochs_of_a_loop_of_iterations_are_passes(
    length: int, iterations: int, epochs: int
) -> None:
    loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop)
    runner = SimpleNamespace(train_loop=loop, max_iters=iterations, train_dataloader=range(length))
    seen = told(runner, [dict(iter=i) for i in range(iterations)])
    assert seen == [(epoch, epochs) for epoch in range(epochs)]


def test_a_second_run_starts_anew() -> None:
    part, hook = Counts(), SetEpochHook()
    runner = SimpleNamespace(train_loop=object(), max_epochs=3, epoch=0, model=part)
    for _ in range(2):
        hook.before_train(runner)
        hook.before_train_iter(runner, 0)
        hook.before_train_iter(runner, 1)
    assert part.told == [(0, 3), (0, 3)]
