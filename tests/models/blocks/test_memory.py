"""The rows of a memory as candidates."""

from __future__ import annotations

import torch

from mochi_mm.models.blocks import memory_block, pair_anchors
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Block, Views
from tests.reference import random_units


def block_of(queue: FeatureQueue, labels: torch.Tensor | None = None) -> Block:
    views = Views({0: random_units(2, 4, 0).float()}, {1: random_units(2, 4, 1).float()})
    return memory_block(pair_anchors(views), queue, lambda rows, bank: rows @ bank.T, labels)


def test_is_what_the_memory_held_before_the_step() -> None:
    queue = FeatureQueue(5, 4)
    queue.enqueue(random_units(3, 4, 2).float(), torch.tensor([7, 8, 9]))
    before = queue.features.clone()
    block = block_of(queue)
    queue.enqueue(random_units(5, 4, 3).float(), torch.arange(5))
    assert torch.equal(block.rows, before)
    torch.testing.assert_close(block.similarity, random_units(2, 4, 0).float() @ before.T)
    assert block.labels.tolist() == [7, 8, 9, -1, -1]
    assert block.held.tolist() == [True] * 3 + [False] * 2
    assert block.name == 'memory' and block.mixable is True
    assert block.pull is None and block.dropped is None


def test_other_labels_may_be_given() -> None:
    labels = torch.arange(5)
    assert block_of(FeatureQueue(5, 4), labels).labels is labels
