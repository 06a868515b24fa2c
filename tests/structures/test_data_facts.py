"""What a part of a model asks of the images of each class."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.structures import DataFacts


def facts(counts: list[int], classes: str = '') -> DataFacts:
    return DataFacts(sum(counts), classes, torch.tensor(counts), torch.ones(sum(counts)).bool())


def test_the_images_of_each_class() -> None:
    assert facts([3, 1]).images_of(2, 'a head').tolist() == [3, 1]


@pytest.mark.parametrize('wanted', [1, 3])
def test_another_number_of_classes(wanted: int) -> None:
    with pytest.raises(
        ValueError, match=f'a head is made for {wanted} classes .* has 2; .* num_classes to 2'
    ):
        facts([3, 1]).images_of(wanted, 'a head')


def test_classes_without_an_image() -> None:
    with pytest.raises(ValueError, match='2 of the 4 classes have no image .* class 1; a head'):
        facts([3, 0, 1, 0]).images_of(4, 'a head')
    with pytest.raises(ValueError, match=r'1 of the 2 classes .* class 0 \(x\); a head needs'):
        facts([0, 2], 'xy').images_of(2, 'a head')
