"""The estimate of the true negatives: a loop in float64, its gradient, the clamp, what is empty."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.negative_estimate import negative_estimate

CASES = [(0.0, 0.0), (0.0, 0.1), (0.5, 0.1), (1.0, 0.0), (2.0, 0.05), (6.0, 0.5), (1.0, 0.9)]


def loop(
    logits: list[list[float]],
    bias: list[list[float]],
    lowest: list[float],
    log_positive: float,
    beta: float,
    tau_plus: float,
) -> tuple[float, bool]:
    """One anchor by the definition, exponentials and all."""
    pairs = [
        (logit, math.exp(term))
        for block, terms in zip(logits, bias, strict=True)
        for logit, term in zip(block, terms, strict=True)
        if logit > -math.inf and term > -math.inf
    ]
    if not pairs:
        return -math.inf, False
    number = math.fsum(w for _, w in pairs)
    importance = [w * math.exp(beta * x) for x, w in pairs]
    mean = math.fsum(i * math.exp(x) for i, (x, _) in zip(importance, pairs, strict=True))
    reweighted = number * mean / math.fsum(importance)
    if tau_plus == 0:
        return math.log(reweighted), False
    positive = math.exp(log_positive) if log_positive > -math.inf else 0.0
    estimate = (reweighted - tau_plus * number * positive) / (1 - tau_plus)
    floor = math.fsum(
        math.exp(term) * math.exp(low)
        for block, terms, low in zip(logits, bias, lowest, strict=True)
        for logit, term in zip(block, terms, strict=True)
        if logit > -math.inf and term > -math.inf
    )
    return math.log(max(estimate, floor)), estimate <= floor


def batch(
    temperature: float, dtype: torch.dtype
) -> tuple[list[Tensor], list[Tensor | None], Tensor]:
    """Six anchors against two blocks: what is dropped, what weighs, one without any negative."""
    generator = torch.Generator().manual_seed(3)
    first, second = (torch.rand(6, m, generator=generator).double() * 2 - 1 for m in (5, 3))
    bias = torch.randn(6, 3, generator=generator).double()
    first[0, 1] = second[2, 0] = -math.inf
    bias[1, 2] = -math.inf
    first[4] = second[4] = -math.inf
    positive = torch.tensor([0.9, 0.2, 1.0, -0.5, 0.3, -math.inf]).double()
    values = [(first / temperature).to(dtype), (second / temperature).to(dtype)]
    return values, [None, bias.to(dtype)], (positive / temperature).to(dtype)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize('temperature', [1.0, 0.5, 0.05])
@pytest.mark.parametrize(('beta', 'tau_plus'), CASES)
def test_equals_the_loop(
    beta: float, tau_plus: float, temperature: float, dtype: torch.dtype
) -> None:
    logits, bias, positive = batch(temperature, dtype)
    lowest = [-1 / temperature, -0.5 / temperature]
    value, clamped = negative_estimate(logits, bias, lowest, positive, beta, tau_plus)
    assert value.dtype == dtype
    for a in range(6):
        terms = [[0.0] * 5, bias[1][a].tolist()]  # type: ignore[index]
        rows = [block[a].tolist() for block in logits]
        expected, floor = loop(rows, terms, lowest, float(positive[a]), beta, tau_plus)
        assert bool(clamped[a]) == floor
        tolerance = 1e-12 if dtype == torch.float64 else 2e-5
        assert float(value[a]) == pytest.approx(expected, abs=tolerance, rel=tolerance)


@pytest.mark.parametrize(('beta', 'tau_plus'), CASES)
def test_gradient_is_that_of_the_formula(beta: float, tau_plus: float) -> None:
    """Of negatives and positives, through the weights as well; none where it is clamped."""
    logits, bias, positive = batch(0.5, torch.float64)
    rows = [0, 1, 2, 3]
    leaves = [block[rows].masked_fill(block[rows].isinf(), 0.0) for block in logits]
    gone = [block[rows].isinf() for block in logits]
    leaves, positive = [x.requires_grad_() for x in leaves], positive[rows].requires_grad_()
    bias = [None, bias[1][rows]]  # type: ignore[index]
    seen = [x.masked_fill(g, -math.inf) for x, g in zip(leaves, gone, strict=True)]
    value, clamped = negative_estimate(seen, bias, [-2.0, -2.0], positive, beta, tau_plus)
    found = torch.autograd.grad(value.sum(), [*leaves, positive], allow_unused=tau_plus == 0)

    weights = [torch.ones(4, 5).double(), bias[1].exp()]  # type: ignore[union-attr]
    weights = [w.masked_fill(g, 0.0) for w, g in zip(weights, gone, strict=True)]
    x, w = torch.cat(leaves, 1), torch.cat(weights, 1)
    number, importance = w.sum(1), w * (beta * x).exp()
    reweighted = number * (importance * x.exp()).sum(1) / importance.sum(1)
    estimate = (reweighted - tau_plus * number * positive.exp()) / (1 - tau_plus)
    plain = estimate.clamp_min(number * math.exp(-2)) if tau_plus else estimate
    expected = torch.autograd.grad(
        torch.stack([plain[a] for a in range(4)]).log().sum(), [*leaves, positive]
    )
    for ours, theirs in zip(found, expected, strict=True):
        ours = torch.zeros_like(theirs) if ours is None else ours
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    assert not any(block[clamped].any() for block in found[:2])
    if (beta, tau_plus) == (1.0, 0.9):
        assert clamped.any() and not clamped.all()


def test_what_is_empty_or_overflows_has_no_gradient_that_is_not_finite() -> None:
    logits = torch.tensor([[200.0, 190.0], [-math.inf, -math.inf], [-200.0, -200.0]])
    logits.requires_grad_()
    positive = torch.tensor([-200.0, 3.0, 200.0], requires_grad=True)
    value, clamped = negative_estimate([logits], [None], [-200.0], positive, 3.0, 0.1)
    assert clamped.tolist() == [False, False, True]
    expected = [200 + math.log(2 / 0.9), -math.inf, -200 + math.log(2)]
    assert value.tolist() == pytest.approx(expected, rel=1e-6)
    value[[0, 2]].sum().backward()
    assert logits.grad is not None and positive.grad is not None
    assert logits.grad.isfinite().all() and positive.grad.isfinite().all()
    assert logits.grad[0].sum() == pytest.approx(1.0) and not logits.grad[1:].any()


def test_nan_is_no_negative_that_is_not_there() -> None:
    logits = torch.tensor([[0.1, math.nan]])
    for beta, tau_plus in CASES:
        value, _ = negative_estimate([logits], [None], [-2.0], torch.zeros(1), beta, tau_plus)
        assert value.isnan().all()
    value, _ = negative_estimate(
        [torch.zeros(1, 2)], [None], [-2.0], torch.full((1,), math.nan), 1.0, 0.1
    )
    assert value.isnan().all()
