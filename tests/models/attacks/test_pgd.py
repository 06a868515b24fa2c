"""Settings of an attack: lengths, keyed starts, units that are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.attacks import PGD


def brighter(images: Tensor) -> Tensor:
    return images.sum()


def test_lengths() -> None:
    assert PGD(8 / 255).length == pytest.approx(0.8 / 255)
    assert PGD(0.2, 0.05, 7).length == 0.05


def test_the_start_is_keyed_and_the_end_is_in_the_ball() -> None:
    images = torch.full((2, 3, 4, 4), 0.5)
    attack = PGD(0.1, 0.01, 1)
    first, again, other = (
        attack(brighter, images, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert float((first - images).abs().max()) <= 0.1 + 1e-6
    assert torch.equal(PGD(0.1, steps=9, random_start=False)(brighter, images), images + 0.1)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(epsilon=8), 'epsilon is 8.* 8 gray levels are 8 / 255'),
        (dict(epsilon=0.0), 'epsilon is 0.0; expected a number above 0'),
        (dict(epsilon=float('nan')), 'epsilon is nan'),
        (dict(step_size=-1), 'step_size is -1'),
        (dict(epsilon=1 / 255, step_size=1.0), 'a step would leave the ball'),
        (dict(epsilon=0.5, step_size=300, norm='l2'), 'step_size is 300 and epsilon 0.5'),
        (dict(steps=0), 'steps is 0'),
        (dict(norm='l1'), "norm is 'l1'; expected one of linf, l2"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PGD(**settings)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(eps=0.1), "attack has 'eps', which PGD does not have; expected some of epsilon, ste"),
        (dict(random_start='False'), "attack random_start is 'False'; expected True or False"),
    ],
)
def test_settings_of_a_config(settings: dict[str, Any], message: str) -> None:
    assert PGD.of(dict(epsilon=0.1, steps=3)) == PGD(0.1, steps=3)
    with pytest.raises(ValueError, match=message):
        PGD.of(settings)


def test_a_euclidean_radius_beyond_all_images_is_refused() -> None:
    with pytest.raises(ValueError, match=r'epsilon is 128 .* at most 6\.9282 apart'):
        PGD(128, norm='l2')(brighter, torch.zeros(1, 3, 4, 4))
