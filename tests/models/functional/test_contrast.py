"""The primitive against loops, the fused InfoNCE, and the corners: masks, no positive, no push."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.contrast import contrast, has_positive, log_sum_exp
from mochi_mm.models.functional.info_nce import info_nce
from tests.reference import contrast_loop

INF = float('inf')


def blocks(rows: int, sizes: tuple[int, ...], seed: int, dtype: Any) -> dict[str, list[Any]]:
    """Random logits with dropped ones, weights with zeros, biases with removed candidates."""
    generator = torch.Generator().manual_seed(seed)

    def draw(size: int) -> Tensor:
        return torch.rand(rows, size, generator=generator, dtype=torch.float64)

    logits, weights, bias = [], [], []
    for size in sizes:
        logits.append((8 * draw(size) - 4).masked_fill(draw(size) < 0.15, -INF).to(dtype))
        weights.append((draw(size) * (draw(size) < 0.4)).to(dtype))
        bias.append((draw(size) - 0.5).masked_fill(draw(size) < 0.2, -INF).to(dtype))
        logits[-1][:, -1] = 0.3  # something always pushes
        weights[-1][:, -1], bias[-1][:, -1] = 0, 0
    weights[-1][0] = 0  # None of the last block's candidates is a positive of anchor 0.
    return dict(logits=logits, weights=weights, bias=bias)


KINDS: list[dict[str, Any]] = [
    dict(),
    dict(positive_scale=True),
    dict(form='inside'),
    dict(denominator='per_positive'),
    dict(denominator='per_positive', positive_bias=-0.25, positive_scale=True),
]


@pytest.mark.parametrize('kind', KINDS, ids=str)
@pytest.mark.parametrize('sizes', [(2,), (7,), (1, 5), (3, 1, 64)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_equals_the_loop(kind: dict[str, Any], sizes: tuple[int, ...], dtype: Any) -> None:
    case = blocks(6, sizes, 1, dtype)
    scale = torch.linspace(-0.5, 1.5, 6, dtype=dtype) if kind.get('positive_scale') else None
    options = dict(kind, positive_scale=scale)
    losses = contrast(case['logits'], case['weights'], case['bias'], **options)
    flat = {name: torch.cat(parts, 1).tolist() for name, parts in case.items()}
    for i in range(6):
        row = dict(kind, positive_scale=1.0 if scale is None else float(scale[i]))
        expected = contrast_loop(flat['logits'][i], flat['weights'][i], flat['bias'][i], **row)
        exact = dtype == torch.float64
        assert float(losses[i]) == pytest.approx(expected, abs=1e-12 if exact else 2e-5)


@pytest.mark.parametrize('kind', KINDS, ids=str)
def test_gradient_is_that_of_the_values(kind: dict[str, Any]) -> None:
    case = blocks(4, (3, 5), 2, torch.float64)
    scale = torch.rand(4, dtype=torch.float64) if kind.get('positive_scale') else None
    options = dict(kind, positive_scale=scale)
    # Numeric differences need finite logits; the dropped ones are put back inside.
    dropped = [block == -INF for block in case['logits']]
    leaves = [
        block.masked_fill(gone, 0.0).requires_grad_()
        for block, gone in zip(case['logits'], dropped, strict=True)
    ]

    def loss(*free: Tensor) -> Tensor:
        logits = [x.masked_fill(gone, -INF) for x, gone in zip(free, dropped, strict=True)]
        return contrast(logits, case['weights'], case['bias'], **options)

    assert torch.autograd.gradcheck(loss, tuple(leaves))


@pytest.mark.parametrize('sizes', [(1,), (7,), (5, 3)])
def test_equals_the_fused_info_nce(sizes: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    positive = (torch.rand(6, generator=generator) * 2 - 1).requires_grad_()
    negatives = [(torch.rand(6, n, generator=generator) * 2 - 1).requires_grad_() for n in sizes]
    leaves = [positive, *negatives]
    fused = info_nce(positive, negatives, 0.2)
    fused_gradients = torch.autograd.grad(fused.sum(), leaves)
    logits = [positive[:, None] / 0.2, *(block / 0.2 for block in negatives)]
    losses = contrast(logits, [torch.ones(6, 1)] + [None] * len(sizes))
    torch.testing.assert_close(losses, fused, rtol=1e-6, atol=1e-6)
    for ours, theirs in zip(
        torch.autograd.grad(losses.sum(), leaves), fused_gradients, strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('kind', [KINDS[0], *KINDS[2:4]], ids=str)
def test_anchors_without_a_positive_or_a_push_are_silent(kind: dict[str, Any]) -> None:
    logits = torch.tensor(
        [[1.0, 2.0, -INF], [1.0, 2.0, 0.5], [-INF, -INF, -INF], [1.0, -INF, 3.0]],
        dtype=torch.float64,
        requires_grad=True,
    )
    weights = torch.tensor([[0.0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 1]], dtype=torch.float64)
    assert has_positive([logits], [weights]).tolist() == [False, False, False, True]
    losses = contrast([logits], [weights], **kind)
    losses.sum().backward()
    assert losses[:3].tolist() == [0, 0, 0]
    assert logits.grad is not None and logits.grad[:3].abs().sum() == 0
    assert float(losses[3].detach()) == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-12)
    assert logits.grad.isfinite().all()
    alone = torch.tensor([[2.0]], dtype=torch.float64, requires_grad=True)
    nothing_pushes = contrast([alone], [torch.ones(1, 1)], [torch.full((1, 1), -INF)])
    nothing_pushes.sum().backward()
    assert float(nothing_pushes.detach()) == 0 and alone.grad is not None and float(alone.grad) == 0


def test_half_precision_is_computed_in_float32() -> None:
    logits = torch.tensor([[30.0, 29.0, -14.0]])
    half = contrast([logits.half()], [torch.tensor([[1.0, 0, 0]])])
    assert half.dtype == torch.float32
    assert float(half) == pytest.approx(math.log(1 + math.exp(-1)), rel=1e-5)


def test_log_sum_exp_of_nothing_has_no_gradient() -> None:
    block = torch.full((2, 3), -INF)
    block[1, 0] = 700.0
    block.requires_grad_()
    total = log_sum_exp([block, torch.empty(2, 0)])
    total.masked_fill(total == -INF, 0).sum().backward()
    assert total.tolist() == [-INF, 700.0]
    assert block.grad is not None and block.grad.tolist() == [[0, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize('denominator', ['shared', 'per_positive'])
def test_lists_of_other_lengths_are_refused(denominator: str) -> None:
    """No block goes without its weights or its bias."""
    two, one = [torch.zeros(1, 2)] * 2, torch.ones(1, 2)
    for weights, bias in (([one], None), ([one, None], [None]), ([one, None, None], None),
                          ([one, None], [None] * 3)):  # fmt: skip
        with pytest.raises(ValueError, match='zip'):
            contrast(two, weights, bias, denominator=denominator)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(denominator='all'), "denominator is 'all'"),
        (dict(form='in'), "form is 'in'"),
        (dict(form='inside', denominator='per_positive'), "use form='outside'"),
        (dict(form='inside', positive_scale=torch.ones(1)), "use form='outside'"),
        (dict(positive_bias=-0.1), 'has no effect'),
    ],
)
def test_settings_that_cannot_take_effect_are_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        contrast([torch.zeros(1, 2)], [torch.ones(1, 2)], **options)


def test_blocks_without_any_weights_are_refused() -> None:
    with pytest.raises(ValueError, match='nothing attracts'):
        contrast([torch.zeros(1, 2)], [None])
