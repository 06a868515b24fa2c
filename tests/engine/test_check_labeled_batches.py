"""Batches without a label are foreseen."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.datasets.two_stream_sampler import TwoStreamSampler
from mochi_mm.engine.check_labeled_batches import check_labeled_batches


class Split:
    """A data set some of whose images have a label."""

    def __init__(self, labeled: int, size: int) -> None:
        self.labels = [0] * labeled + [-1] * (size - labeled)
        self.metainfo = dict(classes=['a', 'b'])

    def __len__(self) -> int:
        return len(self.labels)


@pytest.mark.parametrize(('labeled', 'size', 'batch'), [(7, 50, 8), (3, 31, 11), (10, 100, 10)])
def test_streams_that_are_let_in_have_a_label_in_every_batch(
    labeled: int, size: int, batch: int
) -> None:
    data = Split(labeled, size)
    sampler = TwoStreamSampler(data, seed=0)
    known = torch.tensor(data.labels) >= 0
    check_labeled_batches(known, sampler, batch, 'a head')
    for epoch in range(20):
        order = sampler.order(epoch)
        whole = order[: size // batch * batch].view(-1, batch)
        assert known[whole].any(1).all()
    with pytest.raises(ValueError, match=r'labeled_share\.$'):
        check_labeled_batches(known, sampler, size // labeled - 1, 'a head')


def test_a_random_order_needs_more() -> None:
    data = Split(50, 1000)
    known = torch.tensor(data.labels) >= 0
    sampler = KeyedSampler(data)
    with pytest.raises(ValueError, match=r'5\.00% of 1000 .* 256 images.*type=TwoStreamSampler'):
        check_labeled_batches(known, sampler, 256, 'OpenConHead')
    check_labeled_batches(known, sampler, 300, 'OpenConHead')
