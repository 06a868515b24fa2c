"""DCL and DCLW: worked values, slow loops, gradients, what they refuse."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import DecoupledHead
from tests.models.heads.test_sup_con_head import negatives as decoupled
from tests.models.heads.toy import mixing, value, views_loop
from tests.models.heads.worked import FIRST, RAW, SECOND, TWO_VIEWS, T, random_views
from tests.reference import dot, unit


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        (dict(), -1.852744),
        (dict(sigma=0.5), -1.436300),
        (dict(sigma=0.5, detach_weight=False), -1.436300),
        # Other code adds the means of the two views.
        (dict(weight=2.0), -3.705488),
        (dict(sigma=0.5, weight=2.0), -2.872600),
    ],
)
def test_worked_values(settings: dict[str, Any], expected: float) -> None:
    assert value(DecoupledHead(0.1, **settings), RAW) == pytest.approx(expected, abs=2e-6)


def test_two_logarithms_are_another_loss() -> None:
    """What docs/numerics.md says lightly computed until 2025."""
    losses = []
    for own, other in ((FIRST, SECOND), (SECOND, FIRST)):
        for i in range(3):
            parts = [
                sum(math.exp(cosine(own[i], rows[j]) / 0.1) for j in range(3) if j != i)
                for rows in (own, other)
            ]
            losses.append(sum(map(math.log, parts)) - cosine(own[i], other[i]) / 0.1)
    assert sum(losses) / 6 == pytest.approx(1.160878, abs=1e-6)
    assert value(DecoupledHead(0.1), TWO_VIEWS) < -1.8


def cosine(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1]


def test_an_aligned_orthonormal_batch() -> None:
    features = torch.eye(3)[:, None].expand(3, 2, 3)
    assert value(DecoupledHead(0.1), features) == pytest.approx(math.log(4) - 10, abs=1e-6)


@pytest.mark.parametrize('part', [None, mixing(2), mixing(1, skip=1)], ids=['', 'mixing', 'skip'])
@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3)])
def test_equals_the_loop(size: tuple[int, int], part: Any) -> None:
    features, head = random_views(*size), DecoupledHead(T, mixing=part)
    expected = views_loop(features, torch.zeros(size[0]), decoupled, False, T, head.mixing)
    assert value(head, features) == pytest.approx(expected, abs=1e-5)


def dclw_weights(features: Tensor) -> list[float]:
    rows = [[unit(view) for view in image] for image in features]
    pull = [math.exp(dot(*image) / 0.5) for image in rows]
    return [2 - p / (sum(pull) / len(pull)) for p in pull]


def dclw_loop(features: Tensor, weights: list[float]) -> float:
    plain = views_loop(features, torch.zeros(len(features)), decoupled, False, T)
    attract = [dot(*(unit(view) for view in image)) / T for image in features]
    extra = sum((w - 1) * a for w, a in zip(weights, attract, strict=True))
    return plain - extra / len(features)


@pytest.mark.parametrize('size', [2, 5, 7])
def test_dclw_equals_the_loop(size: int) -> None:
    features = random_views(size, 2)
    expected = dclw_loop(features.double(), dclw_weights(features.double()))
    assert value(DecoupledHead(T, 0.5), features) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('detach', [True, False])
def test_gradient_of_dclw_is_that_of_the_loop(detach: bool) -> None:
    """Finite differences, with the weights held or not."""
    features = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(1))
    leaf = features.clone().requires_grad_()
    DecoupledHead(T, 0.5, detach).loss(leaf)['loss_contrast'].backward()
    assert leaf.grad is not None
    held, step = dclw_weights(features.double()), 1e-5
    for place in range(features.numel()):
        values = []
        for sign in (1, -1):
            moved = features.double()
            moved.view(-1)[place] += sign * step
            values.append(dclw_loop(moved, held if detach else dclw_weights(moved)))
        slope = (values[0] - values[1]) / (2 * step)
        assert float(leaf.grad.view(-1)[place]) == pytest.approx(slope, abs=1e-4, rel=1e-4)


def test_bad_settings_and_batches() -> None:
    for settings, message in (
        (dict(sigma=math.nan), 'sigma is nan'),
        (dict(sigma=0), 'sigma is 0'),
        (dict(weight=-1.0), 'weight is -1.0'),
    ):
        with pytest.raises(ValueError, match=message):
            DecoupledHead(**settings)
    with pytest.raises(ValueError, match='got 3 views'):
        DecoupledHead(sigma=0.5).loss(torch.randn(2, 3, 3))
    assert DecoupledHead(sigma=0.5).max_views == 2 and DecoupledHead().max_views is None
