"""Training sets whose labels editors can mix by, and others."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.view_editors.check_classes import check_classes
from mochi_mm.structures import DataFacts


def facts(labels: list[int]) -> DataFacts:
    known = torch.tensor(labels)
    counts = torch.bincount(known[known >= 0], minlength=3)
    return DataFacts(len(labels), ('a', 'b', 'c'), counts, known >= 0)


@pytest.mark.parametrize(
    ('labels', 'least', 'message'),
    [
        ([1, 1, 1], 2, 'at least 2 classes, and the training set has 1 and 0 images without'),
        ([-1, -1], 1, 'at least 1 class, and the training set has 0 and 2 images without a label'),
        ([0, 1, -1], 2, 'the training set has 2 and 1 images without a label'),
    ],
)
def test_too_few_classes_and_unknown_labels_are_refused(
    labels: list[int], least: int, message: str
) -> None:
    with pytest.raises(ValueError, match=f'Editor mixes images .*{message}'):
        check_classes(facts(labels), 'Editor', least)
    check_classes(facts([0, 2, 2]), 'Editor', least)
    check_classes(facts([1, 1]), 'Editor', least=1)
