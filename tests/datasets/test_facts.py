"""What a data set says of itself before the first iteration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, Subset

from mochi_mm.datasets.facts import facts_of
from tests.toy_runner import NoiseImages


class Labeled(Dataset):
    """Images that nobody looks at."""

    def __init__(self, size: int, labels: Any = None, classes: Any = None) -> None:
        self.size = size
        if labels is not None:
            self.labels = labels
        if classes is not None:
            self.metainfo = dict(classes=classes)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        raise AssertionError('the facts are known without opening an image')


def loop(labels: list[int], classes: int) -> list[int]:
    counts = [0] * max(classes, *(label + 1 for label in labels))
    for label in labels:
        if label >= 0:
            counts[label] += 1
    return counts


@pytest.mark.parametrize('kind', [list, np.array, torch.tensor, lambda x: np.array(x, np.int16)])
@pytest.mark.parametrize(
    'labels', [[0, 1, 2, 1], [2, -1, -1, 0, 2], [-1, -1], [3, 3]], ids=lambda labels: str(labels)
)
def test_counts_equal_the_loop(labels: list[int], kind: Any) -> None:
    facts = facts_of(Labeled(len(labels), kind(labels), ('a', 'b', 'c')))
    assert facts.num_images == len(labels) and tuple(facts.classes) == ('a', 'b', 'c')
    assert facts.class_counts.tolist() == loop(labels, 3)
    assert facts.labeled.tolist() == [label >= 0 for label in labels]
    assert facts.class_counts.dtype == torch.int64 and facts.labeled.dtype == torch.bool


def test_without_labels_or_classes() -> None:
    facts = facts_of(Labeled(3))
    assert facts.num_images == 3 and tuple(facts.classes) == ()
    assert facts.class_counts.tolist() == [] and facts.labeled.tolist() == [False] * 3
    named = facts_of(Labeled(2, classes=('a', 'b')))
    assert named.class_counts.tolist() == [0, 0]
    numbered = facts_of(Labeled(2, labels=[1, 1]))
    assert tuple(numbered.classes) == () and numbered.class_counts.tolist() == [0, 2]


def test_a_data_set_of_the_project_and_one_that_hides_its_labels() -> None:
    facts = facts_of(NoiseImages(size=7))
    assert (facts.num_images, tuple(facts.classes)) == (7, ('a', 'b', 'c'))
    assert facts.class_counts.tolist() == [3, 2, 2]
    # torch's subset has no labels, so nothing is claimed of them.
    hidden = facts_of(Subset(NoiseImages(size=7), [0, 1]))
    assert hidden.num_images == 2 and not hidden.labeled.any()


def test_facts_are_not_changed_by_mistake() -> None:
    facts = facts_of(Labeled(1))
    with pytest.raises(AttributeError):
        facts.num_images = 2  # type: ignore[misc]
