"""The skew Renyi bound: worked values, a loop in float64, its limits."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.skew_renyi import skew_renyi, skew_renyi_sums

POSITIVE = torch.tensor([[1.6], [0.4], [1.0]])
NEGATIVE = torch.tensor([[0.2, -0.6], [0.8, 0.1], [-1.0, 0.5]])


def bound(logits: list[Tensor], weights: list[Tensor | None], gamma: float, alpha: float) -> Tensor:
    none = [None] * len(logits)
    return skew_renyi(skew_renyi_sums(logits, weights, none, gamma), gamma, alpha)


def loop(
    positives: list[tuple[float, float]],
    negatives: list[tuple[float, float]],
    gamma: float,
    alpha: float,
) -> float:
    """The bound by its definition, of (weight, logit) of all pairs."""

    def mean(pairs: list[tuple[float, float]], factor: float) -> float:
        total = math.fsum(w * math.exp(factor * f) for w, f in pairs)
        return total / math.fsum(w for w, _ in pairs)

    if gamma == 1:
        reached = math.fsum(w * f for w, f in positives) / math.fsum(w for w, _ in positives)
    else:
        reached = math.log(mean(positives, gamma - 1)) / (gamma - 1)
    mixture = alpha * mean(positives, gamma) + (1 - alpha) * mean(negatives, gamma)
    return reached - math.log(mixture) / gamma


@pytest.mark.parametrize(
    ('alpha', 'gamma', 'value', 'gradient'),
    [
        (1 / 65536, 2.0, -0.821668, [-0.540470, -0.162801, -0.296633]),
        (0.25, 2.0, -0.399245, None),
        (0.25, 1.5, -0.444382, None),
        (0.25, 1.0, -0.497235, None),
    ],
)
def test_worked_values(
    alpha: float, gamma: float, value: float, gradient: list[float] | None
) -> None:
    positive = POSITIVE.clone().requires_grad_()
    loss = -bound([positive, NEGATIVE], [torch.ones(3, 1), None], gamma, alpha)
    assert float(loss.detach()) == pytest.approx(value, abs=1e-6)
    loss.backward()
    assert positive.grad is not None
    if gradient is not None:
        assert positive.grad.flatten().tolist() == pytest.approx(gradient, abs=1e-6)


@pytest.mark.parametrize('alpha', [0.0, 1 / 65536, 0.5])
@pytest.mark.parametrize('gamma', [0.5, 1.0, 1.5, 2.0, 5.0])
def test_equals_the_loop(gamma: float, alpha: float) -> None:
    """Two blocks, several positives and none, weights and bias, what is dropped."""
    generator = torch.Generator().manual_seed(1)
    first, second = (torch.randn(5, m, generator=generator).double() for m in (4, 3))
    weight = torch.tensor([[0, 1, 0, 0.5], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 2, 0], [1, 1, 1, 1]])
    weight = weight.double()
    bias = torch.randn(5, 3, generator=generator).double()
    first[0, 0] = first[4, 3] = second[3, 1] = -math.inf
    bias[2, 0] = -math.inf
    sums = skew_renyi_sums([first, second], [weight, None], [None, bias], gamma)
    positives, negatives = [], []
    for a in range(5):
        for logit, w in zip(first[a].tolist(), weight[a].tolist(), strict=True):
            if logit > -math.inf:
                (positives if w else negatives).append((w or 1.0, logit))
        for logit, b in zip(second[a].tolist(), bias[a].tolist(), strict=True):
            if logit > -math.inf and b > -math.inf:
                negatives.append((math.exp(b), logit))
    expected = loop(positives, negatives, gamma, alpha)
    assert float(skew_renyi(sums, gamma, alpha)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('gamma', [0.5, 1.0, 2.0])
def test_nothing_told_apart_is_zero_and_the_skew_bounds_the_rest(gamma: float) -> None:
    same = [torch.full((3, 1), 0.7), torch.full((3, 2), 0.7)]
    weights = [torch.ones(3, 1), None]
    assert float(bound(same, weights, gamma, 0.25)) == pytest.approx(0.0, abs=1e-6)
    apart = [torch.full((3, 1), 20.0), torch.full((3, 2), -20.0)]
    assert float(bound(apart, weights, gamma, 0.25)) == pytest.approx(
        -math.log(0.25) / gamma, abs=1e-5
    )


def test_the_surrogate_of_the_authors_has_the_same_gradient() -> None:
    """A linear form with constant weights: easy positives and hard negatives weigh most."""
    gamma, alpha = 2.0, 1 / 65536
    positive, negative = POSITIVE.double().requires_grad_(), NEGATIVE.double().requires_grad_()
    pull, same, push = (
        torch.exp(gamma_ * f.detach())
        for gamma_, f in ((gamma - 1, positive), (gamma, positive), (gamma, negative))
    )
    norm = alpha * same.mean() + (1 - alpha) * push.mean()
    mixed = alpha * (positive * same).mean() + (1 - alpha) * (negative * push).mean()
    surrogate = mixed / norm - (positive * pull).mean() / pull.mean()
    assert float(surrogate.detach()) == pytest.approx(-0.725122, abs=1e-6)
    theirs = torch.autograd.grad(surrogate, [positive, negative])
    loss = -bound([positive, negative], [torch.ones(3, 1).double(), None], gamma, alpha)
    for ours, expected in zip(torch.autograd.grad(loss, [positive, negative]), theirs, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)
