"""Data in which nothing can be searched is refused, with what compares the classes."""

from __future__ import annotations

import pytest

from mochi_mm.evaluation.check_search_data import check_search_data
from tests.evaluation.toy import ToyImages, toy_loader


def test_unlabeled_images_with_a_way_out() -> None:
    loaders = toy_loader(ToyImages(6)), toy_loader(ToyImages(6, 1, unlabeled=[2]))
    check_search_data(loaders[0], loaders[0], [6], 'search')
    with pytest.raises(ValueError, match=r'query data set .* search has no .* class, or do so\.'):
        check_search_data(*loaders, [1], 'search', ', or do so')


def test_one_class() -> None:
    single = toy_loader(ToyImages(1))
    with pytest.raises(ValueError, match='all 1 samples of the bank are of one class'):
        check_search_data(single, single, [1], 'search')
