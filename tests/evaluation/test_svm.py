"""The linear SVMs: their objective, the choice of the cost, what is drawn and left out."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.evaluation.average_precision import average_precision
from mochi_mm.evaluation.svm import (
    choose_cost,
    draw_shots,
    fit_svm,
    svm_average_precision,
    unit_rows,
)


def data(count: int, seed: int, noise: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    targets = np.where(generator.random(count) < 0.4, 1, -1)
    features = generator.normal(size=(count, 6)) * noise
    features[:, 0] += targets
    return unit_rows(features), targets


def objective(weight: np.ndarray, x: np.ndarray, positive: np.ndarray, cost: float) -> float:
    """Penalty and squared hinge, positives twice; the bias is a weight of a constant 1."""
    total = 0.5 * float(weight @ weight)
    for row, right in zip(x, positive, strict=True):
        sign = 1.0 if right else -1.0
        margin = 1 - sign * (row @ weight[:-1] + weight[-1])
        total += cost * (2 if right else 1) * max(0.0, margin) ** 2
    return total


def test_it_minimizes_the_stated_objective() -> None:
    x, y = data(40, 0)
    svm = fit_svm(x, y == 1, 0.7)
    weight = np.append(svm.coef_[0], svm.intercept_[0])
    least = objective(weight, x, y == 1, 0.7)
    generator = np.random.default_rng(1)
    for _ in range(50):
        other = weight + 0.05 * generator.normal(size=7)
        assert objective(other, x, y == 1, 0.7) > least


def test_the_cost_is_that_of_the_best_folds() -> None:
    from sklearn.model_selection import StratifiedKFold

    x, y = data(60, 2)
    positive, costs = y == 1, [1e-4, 0.03, 3.0, 300.0]
    means = []
    for cost in costs:
        values = []
        for a, b in StratifiedKFold(3).split(x, positive):
            scores = fit_svm(x[a], positive[a], cost).decision_function(x[b])
            values.append(average_precision(scores, positive[b], 'area'))
        means.append(sum(values) / 3)
    assert choose_cost(x, positive, costs, 3, 'area') == costs[int(np.argmax(means))]


def test_difficult_images_neither_train_nor_count() -> None:
    x, y = data(50, 3)
    x_test, y_test = data(30, 4)
    plain = svm_average_precision((x, y), (x_test, y_test), [1.0])
    odd = unit_rows(np.random.default_rng(5).normal(size=(9, 6)))
    none = np.zeros(9, dtype=int)
    with_ignored = svm_average_precision(
        (np.concatenate([odd, x]), np.concatenate([none, y])),
        (np.concatenate([odd, x_test]), np.concatenate([none, y_test])),
        [1.0],
    )
    assert with_ignored == plain


def test_shots_are_drawn_without_repetition() -> None:
    targets = np.array([1] * 5 + [0] * 3 + [-1] * 12)
    rows = draw_shots(targets, 4, 9, np.random.default_rng(0))
    assert len(set(rows.tolist())) == 13
    assert (targets[rows[:4]] == 1).all() and (targets[rows[4:]] == -1).all()
    with pytest.raises(ValueError, match='6 images with the class are wanted and there are 5'):
        draw_shots(targets, 6, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match='13 images without the class'):
        draw_shots(targets, 1, 13, np.random.default_rng(0))


def test_too_few_images() -> None:
    x, y = data(20, 6)
    y[:] = -1
    y[3] = 1
    with pytest.raises(ValueError, match='3 folds needs as many.*it has 1 and 19'):
        svm_average_precision((x, y), (x, y), [0.1, 1.0])
    svm_average_precision((x, y), (x, y), [1.0])  # one cost needs no folds
    y[3] = -1
    with pytest.raises(ValueError, match='training set has 0 images with the class and 20 without'):
        svm_average_precision((x, y), (x, y), [1.0])
    with pytest.raises(ValueError, match='has no direction'):
        unit_rows(np.zeros((2, 3)))
