"""Average precision against the definition, recall by recall."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mochi_mm.evaluation.average_precision import average_precision


def slow(scores: list[float], positive: list[bool], method: str) -> float:
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    total, hits, points = sum(positive), 0, []
    for place, i in enumerate(order, start=1):
        hits += positive[i]
        points.append((Fraction(hits, total), Fraction(hits, place)))

    def best(recall: Fraction) -> Fraction:
        return max((p for r, p in points if r >= recall), default=Fraction(0))

    if method == '11points':
        return float(sum(best(Fraction(t, 10)) for t in range(11)) / 11)
    area, last = Fraction(0), Fraction(0)
    for recall, _ in points:
        area += (recall - last) * best(recall)
        last = recall
    return float(area)


@pytest.mark.parametrize('method', ['11points', 'area'])
@pytest.mark.parametrize('size', [1, 2, 9, 10, 11, 57])
def test_against_the_definition(size: int, method: str) -> None:
    generator = np.random.default_rng(size)
    for _ in range(20):
        scores = generator.integers(0, max(2, size // 2), size).astype(float)  # with ties
        positive = generator.random(size) < 0.3
        positive[generator.integers(size)] = True
        found = average_precision(scores, positive, method)
        wanted = slow(scores.tolist(), positive.tolist(), method)
        assert found == pytest.approx(wanted, abs=1e-12)


def test_by_hand() -> None:
    positive = np.array([True, False, True, False])
    assert average_precision(np.array([4, 3, 2, 1]), positive, 'area') == pytest.approx(5 / 6)
    eleven = (6 * 1 + 5 * 2 / 3) / 11
    assert average_precision(np.array([4, 3, 2, 1]), positive) == pytest.approx(eleven)


def test_mistakes() -> None:
    one = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match='expected one of 11points, area'):
        average_precision(one, np.array([True, False]), 'auc')
    with pytest.raises(ValueError, match='0 of them positive'):
        average_precision(one, np.array([False, False]))
    with pytest.raises(ValueError, match='1 scores not finite'):
        average_precision(np.array([1.0, np.nan]), np.array([True, False]))
