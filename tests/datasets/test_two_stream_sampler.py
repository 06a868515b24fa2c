"""Labeled and unlabeled images in every batch; once each; the same order for any ranks."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from mochi_mm.datasets import OpenWorld, TwoStreamSampler
from tests.datasets.test_noisy_labels import Labelled

DATA = OpenWorld(Labelled(np.random.default_rng(1).integers(0, 5, 503)), 2, 0.4)


def test_every_image_comes_once_in_an_order_of_the_seed_and_epoch() -> None:
    orders = [TwoStreamSampler(DATA, seed).order(epoch) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(503))
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert TwoStreamSampler(DATA, 1).order(1).equal(orders[3])


@pytest.mark.parametrize('batch', [4, 7, 64, 256])
def test_any_batch_holds_the_share_of_labeled_images(batch: int) -> None:
    labeled = (DATA.labels >= 0)[TwoStreamSampler(DATA, 0).order(3)]
    share = labeled.mean() * batch
    counts = [labeled[i : i + batch].sum() for i in range(len(labeled) - batch)]
    assert min(counts) > share - 1.01 and max(counts) < share + 1.01


def test_the_ranks_share_a_batch() -> None:
    """Three ranks of 8 see what one of 24 sees, also from the middle of an epoch on."""
    whole = [int(key) for key in TwoStreamSampler(DATA, 0)]
    parts = []
    for rank in range(3):
        with mock.patch('mochi_mm.datasets.keyed_sampler.get_dist_info', return_value=(rank, 3)):
            sampler = TwoStreamSampler(DATA, 0)
        sampler.leave_out(16)
        parts.append([int(key) for key in sampler])
    for step in (0, 5):
        seen = {i for part in parts for i in part[step * 8 : step * 8 + 8]}
        assert seen == set(whole[48 + step * 24 : 72 + step * 24])


def test_streams_that_are_none() -> None:
    for labels, count in (([0, 1, 1], 3), ([-1, -1], 0)):
        with pytest.raises(ValueError, match=f'{count} of {len(labels)} images have a label'):
            TwoStreamSampler(Labelled(labels))
