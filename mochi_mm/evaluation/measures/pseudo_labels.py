"""How right pseudo-labels are, and how much they change."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def changed_share(before: Tensor, after: Tensor) -> float:
    """Return the share of images that did not stay with most of their cluster.

    Clusters have other numbers in each clustering, so a cluster goes on as the former cluster of
    most of its members; those of its members that were elsewhere have changed.

    Args:
        before: (n,) int64 former cluster of each image, -1 for none.
        after: (n,) int64 present cluster of each image, -1 for none.

    Returns:
        A share of the images that have a cluster in both, NaN without any.

    >>> import torch
    >>> changed_share(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([7, 7, 3, 3, 3]))
    0.2
    """
    both = ((before >= 0) & (after >= 0)).numpy()
    if not both.any():
        return float('nan')
    counts, pairs = _cells(after.numpy()[both], before.numpy()[both])
    largest = np.zeros(int(pairs[:, 0].max()) + 1, dtype=np.int64)
    np.maximum.at(largest, pairs[:, 0], counts)
    return round(1 - int(largest.sum()) / int(both.sum()), 12)


def pair_precision_recall(labels: Tensor, classes: Tensor) -> tuple[float, float]:
    """Return precision and recall of "same label" as a test for "same class", over all pairs.

    Args:
        labels: (n,) int64 pseudo-label of each image, -1 where none is accepted.
        classes: (n,) int64 class of each image, -1 if unknown; these are left out.

    Returns:
        The share of the pairs of one label that are of one class, and the share of the pairs of one
        class that have one label; NaN without such a pair.

    >>> import torch
    >>> pair_precision_recall(torch.tensor([0, 0, 0, -1]), torch.tensor([5, 5, 6, 6]))
    (0.3333333333333333, 0.5)
    """
    known = (classes >= 0).numpy()
    truth, found = classes.numpy()[known], labels.numpy()[known]
    accepted = found >= 0
    counts, _ = _cells(found[accepted], truth[accepted])
    right = _pairs(counts)
    marked = _pairs(np.unique(found[accepted], return_counts=True)[1])
    wanted = _pairs(np.unique(truth, return_counts=True)[1])
    return _share(right, marked), _share(right, wanted)


def _cells(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each pair of numbers comes, (m,), and the pairs (m, 2)."""
    pairs, counts = np.unique(np.stack([first, second], axis=1), axis=0, return_counts=True)
    return counts, pairs


def _pairs(counts: np.ndarray) -> int:
    return int((counts.astype(np.int64) * (counts - 1) // 2).sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float('nan')
