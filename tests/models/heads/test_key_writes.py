"""Each key is written once, image by image, with label and index where they are known."""

from __future__ import annotations

import torch

from mochi_mm.models.heads.key_writes import key_writes
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views
from tests.models.heads.toy import DIM, pairs


def test_keys_of_all_views_image_by_image() -> None:
    queries, keys, samples = pairs(2, 3)
    queue = FeatureQueue(8, DIM)
    for write in key_writes(queue, Views(queries, keys, samples), 'gt_label'):
        write()
    expected = torch.stack([keys[v][i] for i in range(2) for v in range(3)])
    assert torch.equal(queue.features[:6], expected)
    assert queue.indices.tolist() == [3, 3, 3, 4, 4, 4, -1, -1]
    assert queue.labels.tolist() == [0, 0, 0, 1, 1, 1, -1, -1]


def test_nothing_without_a_memory_and_unknown_without_samples() -> None:
    queries, keys, _ = pairs(2)
    assert key_writes(None, Views(queries, keys), 'gt_label') == ()
    queue = FeatureQueue(8, DIM)
    for write in key_writes(queue, Views(queries, keys), 'gt_label'):
        write()
    assert int(queue.count) == 6 and queue.labels.eq(-1).all() and queue.indices.eq(-1).all()
