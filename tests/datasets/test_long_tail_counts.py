"""Counts of a long tail: the totals of the field, the choice, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.long_tail_counts import long_tail_counts, long_tail_rows


@pytest.mark.parametrize(
    ('largest', 'classes', 'factor', 'total', 'last'),
    [
        (5000, 10, 0.1, 20431, 500),
        (5000, 10, 0.02, 13996, 100),
        (5000, 10, 0.01, 12406, 50),
        (500, 100, 0.1, 19573, 50),
        (500, 100, 0.02, 12608, 10),
        (500, 100, 0.01, 10847, 5),
        (500, 100, 1.0, 50000, 500),
        (7, 1, 0.1, 7, 7),
        (4, 2, 0.25, 5, 1),
    ],
)
def test_totals_of_the_field(
    largest: int, classes: int, factor: float, total: int, last: int
) -> None:
    counts = long_tail_counts(largest, classes, factor)
    assert (len(counts), counts[0], counts[-1], sum(counts)) == (classes, largest, last, total)
    assert counts == sorted(counts, reverse=True)


def test_the_choice_of_the_field() -> None:
    """One generator shuffles class after class; each gives its first rows."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 30))
    rows = long_tail_rows(labels, 4, 0.1, seed=3)
    generator, expected = np.random.RandomState(3), []
    for c, count in enumerate([30, 13, 6, 3]):
        of_class = [i for i, label in enumerate(labels) if label == c]
        order = list(range(30))
        generator.shuffle(order)
        expected += [of_class[i] for i in order[:count]]
    assert rows.tolist() == sorted(expected)
    assert not np.array_equal(long_tail_rows(labels, 4, 0.1, seed=4), rows)


def test_a_smaller_factor_takes_a_part() -> None:
    labels = np.tile(np.arange(5), 40)
    small, large = (set(long_tail_rows(labels, 5, factor)) for factor in (0.05, 0.3))
    assert small < large < set(long_tail_rows(labels, 5, 1.0)) == set(range(200))


def test_the_choice_is_fixed() -> None:
    """What was drawn once must be drawn for ever."""
    assert long_tail_rows(np.tile(np.arange(3), 9), 3, 0.12).tolist() == FIXED


FIXED = [0, 3, 4, 6, 9, 10, 12, 15, 17, 18, 21, 22, 24]


def test_the_smallest_class_is_the_measure() -> None:
    labels = np.repeat(np.arange(3), (40, 20, 25))
    assert np.bincount(labels[long_tail_rows(labels, 3, 0.25)]).tolist() == [20, 10, 5]


@pytest.mark.parametrize('factor', [0, -0.1, 1.01, float('nan'), True, '0.1'])
def test_factors_that_are_none(factor: float) -> None:
    with pytest.raises(ValueError, match=r'factor of LongTail is .* at most 1, such as 0\.01'):
        long_tail_counts(100, 10, factor)


def test_mistakes_name_both_numbers() -> None:
    with pytest.raises(ValueError, match=r'50 images .* 0\.01 leave 0\.5 .* 0\.02 or more'):
        long_tail_counts(50, 10, 0.01)
    with pytest.raises(ValueError, match='long tail of 0 classes'):
        long_tail_counts(50, 0, 0.01)
    with pytest.raises(ValueError, match=r'class 1 has 0 of the 4 images; .* of 3 classes'):
        long_tail_rows(np.array([0, 0, 2, 2]), 3, 0.5)
    with pytest.raises(ValueError, match=r'1 of 3 images have labels such as -1; .* 2 classes'):
        long_tail_rows(np.array([0, 1, -1]), 2, 0.5)
