"""Alignment: how near the features of positive pairs lie (Wang and Isola 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.evaluation.measures.checks import check_features, check_positive


@torch.no_grad()
def pair_alignment(first: Tensor, second: Tensor, alpha: float = 2.0) -> float:
    """Return the mean of ``||x - y||_2 ** alpha`` over the pairs of equal rows.

    Features are scaled to length one first. 0 is perfect; for ``alpha=2`` the mean over unrelated
    points is about 2. Source: Wang and Isola, ICML 2020, ``L_align``, and their code's default.

    Args:
        first: (M, C) features, any scale.
        second: (M, C), row by row the positives of ``first``.
        alpha: Exponent, > 0.

    Raises:
        ValueError: Shapes that differ, no row, features that are not finite.
    """
    check_positive('alpha', alpha)
    check_features(first, 1)
    check_features(second, 1)
    if first.shape != second.shape:
        raise ValueError(
            f'pairs of shapes {tuple(first.shape)} and {tuple(second.shape)}; expected equal ones.'
        )
    difference = _unit(first) - _unit(second)  # (M, C)
    return float(difference.norm(dim=1).pow(alpha).mean())


@torch.no_grad()
def class_alignment(
    features: Tensor, labels: Tensor, alpha: float = 2.0, chunk: int = 1024
) -> float:
    """Return the mean of ``||x - y||_2 ** alpha`` over all pairs of samples of one class.

    Every unordered pair of different samples counts once, so a large class weighs more. Memory is
    bounded by ``chunk * chunk`` distances. The pairs are those of the MoCHi paper's plot (labels
    of a validation set); ``L_align`` is Wang and Isola's (ICML 2020).

    Args:
        features: (M, C) features, any scale.
        labels: (M,) int64 class of each, >= 0.
        alpha: Exponent, > 0.
        chunk: Samples compared with as many others at a time.

    Raises:
        ValueError: A sample without a label, a class with one sample, features that are not
            finite.
    """
    check_positive('alpha', alpha)
    check_features(features)
    check_classes(features, labels)
    order = labels.argsort()
    rows = _unit(features[order.to(features.device)])
    total, pairs = 0.0, 0
    start = 0
    for size in labels.bincount()[labels.unique()].tolist():
        members = rows[start : start + size]
        total += _sum_of_pairs(members, alpha, chunk)
        pairs += size * (size - 1) // 2
        start += size
    return total / pairs


def _sum_of_pairs(rows: Tensor, alpha: float, chunk: int) -> float:
    """Return the sum over unordered pairs of different unit rows, float64."""
    total = 0.0
    for i in range(0, len(rows), chunk):
        for j in range(i, len(rows), chunk):
            square = (2 - 2 * (rows[i : i + chunk] @ rows[j : j + chunk].T)).clamp_min_(0.0)
            power = square.pow_(alpha / 2)
            total += float(power.triu_(1).sum() if i == j else power.sum())
    return total


def check_classes(features: Tensor, labels: Tensor) -> None:
    """Raise ``ValueError`` unless every sample has a label that another sample has too."""
    if labels.shape != features.shape[:1]:
        raise ValueError(
            f'{tuple(labels.shape)} labels for {len(features)} samples; expected one for each.'
        )
    if bool((labels < 0).any()):
        raise ValueError(
            f'{int((labels < 0).sum())} of {len(labels)} samples have no label (-1), so they have '
            'no class to be aligned with; use a labeled data set, or the alignment of two views.'
        )
    classes, counts = labels.unique(return_counts=True)
    single = classes[counts == 1]
    if len(single):
        raise ValueError(
            f'the class {int(single[0])} has one image ({len(single)} such classes), and a class '
            'needs two to be aligned; add images of it or leave it out.'
        )


def _unit(features: Tensor) -> Tensor:
    """Return float64 rows of unit length; a square of any float32 is a float64, and not 0."""
    return F.normalize(features.double(), dim=1, eps=1e-100)
