"""What a step writes into a memory of keys."""

from __future__ import annotations

import torch

from mochi_mm.models.heads.key_writes import key_writes
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views
from tests.reference import random_units


def test_keys_are_written_image_by_image_with_the_named_label() -> None:
    queue, keys = FeatureQueue(7, 4), {j: random_units(3, 4, j).float() for j in (1, 2)}
    samples = dict(cluster=torch.tensor([4, 5, 6]), gt_label=torch.zeros(3, dtype=torch.int64))
    (write,) = key_writes(queue, Views({}, keys, samples), 'cluster')
    assert int(queue.count) == 0
    write()
    assert torch.equal(queue.features[:6], torch.stack([keys[1], keys[2]], dim=1).flatten(0, 1))
    assert queue.labels.tolist() == [4, 4, 5, 5, 6, 6, -1]
    assert queue.indices.tolist() == [-1] * 7


def test_nothing_is_written_without_a_memory() -> None:
    assert key_writes(None, Views({}, {}), 'gt_label') == ()
