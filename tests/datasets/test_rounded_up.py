"""A number that a message recommends is one that will do."""

from __future__ import annotations

from mochi_mm.datasets.long_tail_counts import long_tail_counts
from mochi_mm.datasets.rounded_up import rounded_up


def test_what_is_recommended_is_enough_and_little_more() -> None:
    for number in range(1, 5000):
        value = float(rounded_up(1 / number))
        assert 1 / number <= value + 1e-15 and value <= 1.1 / number + 1e-15
        assert long_tail_counts(number, 10, min(1.0, value))[-1] == 1


def test_a_product_that_falls_below_a_whole_number() -> None:
    assert long_tail_counts(100, 10, 0.29)[-1] == 29
    assert long_tail_counts(49, 10, 1 / 49)[-1] == 1
