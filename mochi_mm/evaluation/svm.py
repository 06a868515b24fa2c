"""Linear SVMs on features, one per class (Goyal et al. 2019, arXiv 1905.01235, 6.1 and 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.evaluation.average_precision import average_precision

#: Targets: the image shows the class; shows it, but marked as difficult; does not show it.
POSITIVE, IGNORED, NEGATIVE = 1, 0, -1


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Return (n, C) features scaled to unit length."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    if not np.isfinite(length).all() or not (length > 0).all():
        raise ValueError('a feature is zero or not finite, so it has no direction to classify by.')
    return features / length


def fit_svm(features: np.ndarray, positive: np.ndarray, cost: float) -> Any:
    """Return a linear SVM: squared hinge, L2 penalty, positives counted twice.

    Args:
        features: (n, C) unit rows.
        positive: (n,) bool.
        cost: C of the SVM.
    """
    from sklearn.svm import LinearSVC

    svm = LinearSVC(
        C=cost,
        class_weight={True: 2, False: 1},
        dual='auto',
        max_iter=5000,
        tol=1e-4,
        random_state=0,
    )
    return svm.fit(features, positive)


def choose_cost(
    features: np.ndarray, positive: np.ndarray, costs: Sequence[float], folds: int, method: str
) -> float:
    """Return the cost with the best mean average precision over stratified folds.

    Raises:
        ValueError: Fewer positives or negatives than folds.
    """
    from sklearn.model_selection import StratifiedKFold

    if len(costs) == 1:
        return costs[0]
    fewest = int(min(positive.sum(), (~positive).sum()))
    if fewest < folds:
        raise ValueError(
            f'cross-validation with {folds} folds needs as many images with the class and without '
            f'it; it has {int(positive.sum())} and {int((~positive).sum())}. Use fewer folds, one '
            'cost (costs=[1.0]), or more images.'
        )
    splits = list(StratifiedKFold(folds).split(features, positive))
    means = []
    for cost in costs:
        found = [
            average_precision(
                fit_svm(features[a], positive[a], cost).decision_function(features[b]),
                positive[b],
                method,
            )
            for a, b in splits
        ]
        means.append(float(np.mean(found)))
    return costs[int(np.argmax(means))]


def svm_average_precision(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    costs: Sequence[float],
    folds: int = 3,
    method: str = '11points',
) -> tuple[float, float]:
    """Return the average precision of one class on the test set, 0 to 1, and the cost chosen.

    Args:
        train: Features (n, C) of unit length and targets (n,): 1, 0 (ignored) or -1.
        test: Features and targets of the test set, in the same form.
        costs: To choose from, by cross-validation on the training set.
        folds: Number of folds of the cross-validation.
        method: Definition of the average precision.

    Raises:
        ValueError: No positive or no negative in a set, or too few for the folds.
    """
    (x, y), (x_test, y_test) = (_known(*part) for part in (train, test))
    for name, found in (('training', y), ('test', y_test)):
        if found.all() or not found.any():
            raise ValueError(
                f'the {name} set has {int(found.sum())} images with the class and '
                f'{int((~found).sum())} without it; expected some of both.'
            )
    cost = choose_cost(x, y, costs, folds, method)
    return average_precision(fit_svm(x, y, cost).decision_function(x_test), y_test, method), cost


def draw_shots(
    targets: np.ndarray, shots: int, negatives: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the rows of a low-shot training set: ``shots`` positives, ``negatives`` negatives.

    Raises:
        ValueError: There are not as many.
    """
    rows = []
    for value, wanted in ((POSITIVE, shots), (NEGATIVE, negatives)):
        found = np.flatnonzero(targets == value)
        if len(found) < wanted:
            kind = 'with' if value == POSITIVE else 'without'
            raise ValueError(
                f'{wanted} images {kind} the class are wanted and there are {len(found)}; use '
                'fewer shots.'
            )
        rows.append(generator.choice(found, wanted, replace=False))
    return np.concatenate(rows)


def _known(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = targets != IGNORED
    return features[kept], targets[kept] == POSITIVE
