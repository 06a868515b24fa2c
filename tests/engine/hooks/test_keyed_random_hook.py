"""Every part that draws has the key of the iteration, and torch draws by it as well."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from mochi_mm.engine.hooks import KeyedRandomHook
from mochi_mm.randomness import StepKey
from tests.models.algorithms.toy import build_moco


class Draws(nn.Module):
    """Writes down every key that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[StepKey] = []

    def set_step(self, step_key: StepKey) -> None:
        self.keys.append(step_key)


def test_every_part_that_draws_is_given_the_key() -> None:
    parts = [Draws(), Draws()]
    model = nn.Sequential(parts[0], nn.Linear(2, 2), nn.ModuleList([parts[1]]))
    for iteration in (4, 5):
        KeyedRandomHook().before_train_iter(SimpleNamespace(seed=3, iter=iteration, model=model), 0)
    assert parts[0].keys == parts[1].keys == [StepKey(3, 4, 0), StepKey(3, 5, 0)]


def test_torchs_own_generator_is_keyed_too() -> None:
    drawn = []
    for seed, iteration in ((0, 1), (0, 1), (0, 2), (1, 1)):
        runner = SimpleNamespace(seed=seed, iter=iteration, model=nn.Dropout())
        torch.rand(3)  # whatever came before
        KeyedRandomHook().before_train_iter(runner, 0)
        drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[1] and drawn[0] != drawn[2] and drawn[0] != drawn[3]


def test_the_parts_of_moco_that_draw() -> None:
    model = build_moco()
    KeyedRandomHook().before_train_iter(SimpleNamespace(seed=0, iter=9, model=model), 0)
    assert model.step_key == model.head.mixing.step_key == StepKey(0, 9, 0)
