"""LiDAR: over how many directions the means of images differ, beyond the spread of their views."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.evaluation.measures.checks import check_features, check_positive
from mochi_mm.evaluation.measures.effective_rank import effective_rank


@torch.no_grad()
def lidar(views: Tensor, delta: float = 1e-4) -> float:
    """Return the effective rank of what tells images apart, from 1 to min(C, n - 1).

    Each image is a class, its views are the samples: ``S_b`` is the covariance of the means
    (divided by n - 1), ``S_w`` that of the views around their mean (by n (q - 1)) plus ``delta``
    times the identity, and the rank is the exponential of the entropy of the eigenvalues of
    ``S_w^-1/2 S_b S_w^-1/2``, divided by their sum. Source: Thilak et al., LiDAR, ICLR 2024 (names
    recalled), in the unbiased form; ports differ in where ``delta`` and further constants enter,
    nothing else is added here. ``delta`` is absolute, so embeddings are divided by the root of
    their mean squared length first; unit rows stay as they are.

    Args:
        views: (n, q, C) embeddings of q views of each of n images.
        delta: Added to the diagonal of ``S_w``, > 0.

    Raises:
        ValueError: Fewer than two images or views, embeddings that are not finite, or means that
            are all equal.
    """
    check_positive('delta', delta)
    if views.ndim != 3 or min(views.shape[:2]) < 2:
        raise ValueError(
            f'views of shape {tuple(views.shape)}; expected (images, views, width) with at least '
            'two images and two views of each.'
        )
    check_features(views.flatten(0, 1))
    rows = views.double()
    square = rows.square().sum(dim=2).mean()
    if not bool(square > 0):
        raise ValueError('all embeddings are 0, the network is dead.')
    between, within = scatter(rows / square.sqrt())
    within.diagonal().add_(delta)
    values, vectors = torch.linalg.eigh(within)
    root = vectors * values.rsqrt()  # S_w^-1/2 up to a rotation, which no eigenvalue notices
    discriminants = torch.linalg.eigvalsh(root.T @ between @ root).clamp_min(0.0)
    if not bool(discriminants.sum() > 0):
        raise ValueError('the means of all images are equal: the network tells no image apart.')
    return effective_rank(discriminants, eps=0.0)


def scatter(views: Tensor) -> tuple[Tensor, Tensor]:
    """Return the covariances (C, C) between and within the images of (n, q, C) views."""
    images, number, _ = views.shape
    means = views.mean(dim=1)  # (n, C)
    centered = means - means.mean(dim=0)
    around = (views - means[:, None]).flatten(0, 1)  # (n q, C)
    return centered.T @ centered / (images - 1), around.T @ around / (images * (number - 1))
