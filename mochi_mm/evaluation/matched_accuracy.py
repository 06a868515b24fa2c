"""Accuracy of classes whose names nobody gave: matched one to one with the right ones."""

from __future__ import annotations

import numpy as np


def matched_accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy in percent under the best one-to-one matching of the classes.

    Args:
        predicted: (N,) int, cluster or class of each sample.
        labels: (N,) int, right class of each sample.

    Returns:
        NaN where there is no sample.

    >>> import numpy as np
    >>> matched_accuracy(np.array([3, 3, 0, 0, 0]), np.array([1, 1, 2, 2, 1]))
    80.0
    """
    from scipy.optimize import linear_sum_assignment

    if len(labels) == 0:
        return float('nan')
    size = int(max(predicted.max(), labels.max())) + 1
    together = np.zeros((size, size), dtype=np.int64)  # predicted by right
    np.add.at(together, (predicted, labels), 1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    return 100 * float(together[rows, columns].sum()) / len(labels)


def open_world_accuracy(
    predicted: np.ndarray, labels: np.ndarray, num_known: int
) -> dict[str, float]:
    """Return ``seen``, ``novel``, ``all`` and ``nmi_novel``, in percent.

    ``seen``: share of the images of known classes that are predicted right, their prototypes being
    named by the labels. ``novel``: images of new classes, their classes matched
    (:func:`matched_accuracy`). ``all``: all images, all classes matched. ``nmi_novel``: normalized
    mutual information of prediction and class over the images of new classes. A figure without
    images is left out.

    Args:
        predicted: (N,) int, predicted class, 0 to C - 1.
        labels: (N,) int, right class.
        num_known: Number of known classes, the first ones.
    """
    from sklearn.metrics import normalized_mutual_info_score

    known = labels < num_known
    found: dict[str, float] = {}
    if known.any():
        found['seen'] = 100 * float((predicted[known] == labels[known]).mean())
    if not known.all():
        found['novel'] = matched_accuracy(predicted[~known], labels[~known])
        shared = normalized_mutual_info_score(labels[~known], predicted[~known])
        found['nmi_novel'] = 100 * float(shared)
    return dict(found, all=matched_accuracy(predicted, labels))
