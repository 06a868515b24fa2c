"""Counts of classes: from the data, given, or none; known once, kept by a checkpoint."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads.class_counts import ClassCounts
from mochi_mm.structures import DataFacts


def facts(*counts: int, names: bool = True) -> DataFacts:
    """Facts of a data set with these counts."""
    number, labeled = sum(counts), torch.ones(sum(counts)).bool()
    classes = [f'c{i}' for i in range(len(counts))] if names else []
    return DataFacts(number, classes, torch.tensor(counts), labeled)


def close(prior: Tensor, *shares: float) -> None:
    torch.testing.assert_close(prior.exp(), torch.tensor(shares))


def test_from_the_data() -> None:
    counts = ClassCounts(2, 'data', 'Head')
    with pytest.raises(ValueError, match=r'Head does not know how many images each of its 2 .*'):
        counts()
    counts.set_data(facts(10, 2))
    assert counts().tolist() == [10, 2]
    close(counts.log_prior(), 10 / 12, 2 / 12)
    again = ClassCounts(2, 'data', 'Head')
    again.load_state_dict(counts.state_dict())
    assert again().tolist() == [10, 2]


def test_given_and_none() -> None:
    given, none = ClassCounts(2, [3, 1], 'Head'), ClassCounts(2, None, 'Head')
    for counts in (given, none):
        counts.set_data(facts(10, 2))
    close(given.log_prior(), 0.75, 0.25)
    assert none().tolist() == [1, 1] and none.log_prior().tolist() == [0.0, 0.0]
    assert none.log_prior().dtype == torch.float32


def test_an_untold_state_stays_untold() -> None:
    counts, empty = ClassCounts(2, 'data', 'Head'), ClassCounts(2, 'data', 'Head')
    counts.load_state_dict(empty.state_dict())
    with pytest.raises(ValueError, match='does not know'):
        counts()


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ([3, 0], r'\[3, 0\], 0 among them; expected 2 integers, at least 1'),
        ([3], r'\[3\], 1 of them; expected 2 integers'),
        ([3, 0.5], '0.5 among them'),
        ('date', "'date', 0 of them"),
    ],
)
def test_counts_that_are_none(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f'class_counts of Head is .*{message}'):
        ClassCounts(2, given, 'Head')


def test_data_that_do_not_fit() -> None:
    counts = ClassCounts(3, 'data', 'Head')
    with pytest.raises(ValueError, match='Head is made for 3 classes but the training set has 2'):
        counts.set_data(facts(10, 2))
    with pytest.raises(ValueError, match=r'1 of the 3 classes have no image .* class 1 \(c1\)'):
        counts.set_data(facts(10, 0, 2))
    with pytest.raises(ValueError, match=r'first of them class 1; Head'):
        counts.set_data(facts(10, 0, 2, names=False))
