"""FGSM and PGD: the worked value, slow loops in float64, balls and directions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.perturbation import (
    NORMS,
    clip_to_ball,
    fgsm,
    pgd,
    random_in_ball,
    steepest,
)

WEIGHT = torch.tensor([[2.0, -1.0], [-1.0, 2.0]], dtype=torch.float64)


def cross_entropy(images: Tensor) -> Tensor:
    labels = torch.arange(len(images)) % 2
    return F.cross_entropy(images @ WEIGHT.T, labels, reduction='sum')


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_worked_values() -> None:
    x = torch.tensor([[0.6, 0.4]], dtype=torch.float64)
    found = pgd(cross_entropy, x, 8 / 255, 2 / 255, 10)
    assert found[0].tolist() == pytest.approx([0.568627, 0.431373], abs=1e-6)
    assert float(cross_entropy(x)) == pytest.approx(0.437488, abs=1e-6)
    assert float(cross_entropy(found)) == pytest.approx(0.508311, abs=1e-6)


def loop(images: Tensor, start: Tensor, epsilon: float, size: float, steps: int, norm: str) -> list:
    """The definition, one number at a time; the gradient of the cross-entropy by hand."""
    found = []
    for row, x in enumerate(images.tolist()):

        def clipped(y: list[float], x: list[float] = x) -> list[float]:
            d = [b - a for a, b in zip(x, y, strict=True)]
            if norm == 'linf':
                d = [max(-epsilon, min(epsilon, v)) for v in d]
            length = math.sqrt(sum(v * v for v in d))
            if norm == 'l2' and length > epsilon:
                d = [v * epsilon / length for v in d]
            return [max(0.0, min(1.0, a + v)) for a, v in zip(x, d, strict=True)]

        y = clipped([a + float(s) for a, s in zip(x, start[row], strict=True)])
        for _ in range(steps):
            logits = [sum(float(w) * v for w, v in zip(line, y, strict=True)) for line in WEIGHT]
            total = sum(map(math.exp, logits))
            error = [math.exp(value) / total - (c == row % 2) for c, value in enumerate(logits)]
            g = [sum(error[c] * float(WEIGHT[c, i]) for c in range(2)) for i in range(2)]
            length = math.sqrt(sum(v * v for v in g))
            way = [math.copysign(1, v) if norm == 'linf' else v / length for v in g]
            y = clipped([a + size * v for a, v in zip(y, way, strict=True)])
        found.append(y)
    return found


@pytest.mark.parametrize('norm', NORMS)
def test_it_equals_the_loop(norm: str) -> None:
    images = torch.rand(7, 2, generator=generator(), dtype=torch.float64)
    start = random_in_ball(images, 0.2, norm, generator())
    for steps, size in [(1, 0.2), (5, 0.07)]:
        found = pgd(cross_entropy, images, 0.2, size, steps, norm, start)
        expected = torch.tensor(loop(images, start, 0.2, size, steps, norm), dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
        assert not found.requires_grad
    plain = loop(images, torch.zeros_like(images), 0.2, 0.2, 1, norm)
    expected = torch.tensor(plain, dtype=torch.float64)
    torch.testing.assert_close(fgsm(cross_entropy, images, 0.2, norm), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('norm', NORMS)
def test_balls(norm: str) -> None:
    """Draws fill the ball and stay in it; clipping leaves neither ball nor range."""
    images = torch.rand(400, 3, 2, 1, generator=generator())
    change = random_in_ball(images, 0.3, norm, generator())
    size = change.abs().flatten(1).amax(1) if norm == 'linf' else change.flatten(1).norm(dim=1)
    assert float(size.max()) <= 0.3 + 1e-6
    # Of six dimensions: the share within t times the radius is t^6 in both balls.
    assert float((size < 0.3 * 0.5 ** (1 / 6)).float().mean()) == pytest.approx(0.5, abs=0.07)
    moved = clip_to_ball(images + 9 * change, images, 0.3, norm)
    left = (moved - images).flatten(1)
    size = left.abs().amax(1) if norm == 'linf' else left.norm(dim=1)
    assert float(size.max()) <= 0.3 + 1e-6
    assert float(moved.min()) >= 0 and float(moved.max()) <= 1
    assert torch.equal(clip_to_ball(images, images, 0.3, norm), images)


def test_directions_of_tiny_and_of_no_gradients() -> None:
    rows = torch.tensor([[3e-30, 4e-30], [0.0, 0.0], [3e20, -4e20]])
    expected = torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.6, -0.8]])
    torch.testing.assert_close(steepest(rows, 'l2'), expected)
    assert steepest(rows, 'linf').tolist() == [[1, 1], [0, 0], [1, -1]]
