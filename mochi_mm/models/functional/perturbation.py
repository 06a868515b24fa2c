"""Perturbations of images within a ball, as strong as gradients make them: FGSM and PGD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

NORMS = ('linf', 'l2')

#: Of images (n, ...) in [0, 1], what an attack makes large: a scalar, the sum or mean over images.
Objective = Callable[[Tensor], Tensor]


def clip_to_ball(images: Tensor, center: Tensor, epsilon: float, norm: str) -> Tensor:
    """Return the images moved into the ball around ``center``, then into [0, 1].

    The second step leaves the ball for no image, as ``center`` lies in [0, 1] itself.

    Args:
        images: (n, ...).
        center: (n, ...) in [0, 1].
        epsilon: Radius, in units of the pixels: of each pixel with ``linf``, of each image
            (Euclidean) with ``l2``.
        norm: ``linf`` or ``l2``.
    """
    if norm == 'linf':
        moved = torch.clamp(images - center, -epsilon, epsilon)
    else:
        change = images - center
        length = _lengths(change)
        moved = change * (epsilon / length.clamp_min(epsilon))
    return (center + moved).clamp(0, 1)


def random_in_ball(
    images: Tensor, epsilon: float, norm: str, generator: torch.Generator | None = None
) -> Tensor:
    """Return a change (n, ...) for each image, uniform in the ball of radius ``epsilon``.

    Args:
        images: (n, ...), for their shape and device.
        epsilon: As in :func:`clip_to_ball`.
        norm: ``linf`` or ``l2``.
        generator: Source of the draws, on the device of the images.
    """
    settings: dict[str, Any] = dict(generator=generator, device=images.device, dtype=images.dtype)
    if norm == 'linf':
        return epsilon * (2 * torch.rand(images.shape, **settings) - 1)
    direction = steepest(torch.randn(images.shape, **settings), 'l2')
    ones = [1] * (images.ndim - 1)
    share = torch.rand(len(images), *ones, **settings)  # (n, 1, ...)
    return epsilon * share ** (1 / images[0].numel()) * direction


def steepest(gradient: Tensor, norm: str) -> Tensor:
    """Return the direction of steepest ascent: signs, or rows of Euclidean length one.

    A gradient of 0 gives 0.

    Args:
        gradient: (n, ...).
        norm: ``linf`` or ``l2``.
    """
    if norm == 'linf':
        return gradient.sign()
    # Divided by the largest entry first: squares of tiny gradients vanish in float32.
    largest = gradient.flatten(1).abs().amax(1).view(-1, *[1] * (gradient.ndim - 1))
    scaled = gradient / largest.masked_fill(largest == 0, 1.0)
    return scaled / _lengths(scaled).clamp_min(0.5)  # a row that is not 0 has at least length 1


def pgd(
    objective: Objective,
    images: Tensor,
    epsilon: float,
    step_size: float,
    steps: int,
    norm: str = 'linf',
    start: Tensor | None = None,
) -> Tensor:
    """Return images near the given ones at which the objective is large: projected ascent.

    ``x <- clip( x + step_size * steepest(gradient) )``, ``steps`` times, clipped to the ball around
    the given images and to [0, 1]; the last point is returned. One step of size ``epsilon`` without
    a start is FGSM (Goodfellow et al., ICLR 2015); several are PGD (Madry et al., ICLR 2018).

    Args:
        objective: What is made large; called with gradient.
        images: (n, ...) in [0, 1].
        epsilon: Radius of the ball, see :func:`clip_to_ball`.
        step_size: Length of a step, in the same unit.
        steps: Number of steps.
        norm: ``linf`` or ``l2``.
        start: (n, ...) change at the start, such as :func:`random_in_ball`; None for none.
    """
    images = images.detach()
    found = images if start is None else clip_to_ball(images + start, images, epsilon, norm)
    for _ in range(steps):
        with torch.enable_grad():
            found = found.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(objective(found), found)
        moved = found.detach() + step_size * steepest(gradient, norm)
        found = clip_to_ball(moved, images, epsilon, norm)
    return found.detach()


def fgsm(objective: Objective, images: Tensor, epsilon: float, norm: str = 'linf') -> Tensor:
    """Return :func:`pgd` of one step as long as the radius, without a start.

    Args:
        objective: What is made large.
        images: (n, ...) in [0, 1].
        epsilon: Radius of the ball, see :func:`clip_to_ball`.
        norm: ``linf`` or ``l2``.
    """
    return pgd(objective, images, epsilon, epsilon, 1, norm)


def _lengths(rows: Tensor) -> Tensor:
    """Return (n, 1, ...) the Euclidean length of each row (n, ...)."""
    return rows.flatten(1).norm(dim=1).view(-1, *[1] * (rows.ndim - 1))
