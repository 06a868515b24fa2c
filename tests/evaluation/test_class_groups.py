"""Groups of classes: their cut points, their accuracy, a group of no one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.evaluation.class_groups import (
    check_cuts,
    class_groups,
    group_accuracy,
    group_names,
    hits_by_class,
)

COUNTS = torch.tensor([1280, 101, 100, 20, 19, 1])


def test_every_class_is_in_one_group() -> None:
    groups = class_groups(COUNTS)
    assert list(groups) == list(group_names((100, 20)))
    assert [mask.nonzero().flatten().tolist() for mask in groups.values()] == [
        [0, 1],
        [2, 3],
        [4, 5],
    ]
    assert torch.stack(list(groups.values())).sum(0).tolist() == [1] * 6


def test_the_accuracy_of_each_group() -> None:
    labels = torch.tensor([0, 0, 0, 1, 2, 3, 3, 5])
    right = torch.tensor([1, 1, 0, 0, 1, 1, 0, 0]).bool()
    hits, totals = hits_by_class(right, labels, 6)
    assert hits.tolist() == [2, 0, 1, 1, 0, 0] and totals.tolist() == [3, 1, 1, 2, 0, 1]
    assert group_accuracy(hits, totals, COUNTS) == {
        'many_over100': 50.0,
        'medium_20to100': pytest.approx(200 / 3),
        'few_below20': 0.0,
    }
    # A group that has no class, or no test image, is left out.
    assert list(group_accuracy(hits, totals, COUNTS, (2000, 50))) == [
        'medium_50to2000',
        'few_below50',
    ]


@pytest.mark.parametrize('cuts', [(100,), (100, 20, 5), (10, 20), (100, 0), (1.5, 1), '12', 7])
def test_cuts_that_are_none(cuts: Any) -> None:
    with pytest.raises(ValueError, match=r'cuts is .*expected two integers.*\(100, 20\)'):
        check_cuts(cuts)


def test_cuts_that_are_some() -> None:
    assert check_cuts([100, 20]) == (100, 20) and check_cuts((5, 6)) == (5, 6)
