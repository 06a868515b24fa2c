"""Candidates of the anchor's class: unknown labels and the anchor itself match nothing."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.blocks import same_label
from mochi_mm.structures import Block


def test_who_is_of_the_class() -> None:
    labels = torch.tensor([0, 2, -1])
    block = Block('batch', torch.zeros(3, 4), labels=torch.tensor([0, 2, -1, 0]))
    found = same_label(labels, block).int().tolist()
    assert found == [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    itself = torch.zeros(3, 4, dtype=torch.bool)
    itself[0, 0] = itself[1, 1] = True
    found = same_label(labels, block.but(itself=itself)).int().tolist()
    assert found == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_block_without_labels_is_named() -> None:
    with pytest.raises(ValueError, match="block 'memory' has no labels"):
        same_label(torch.tensor([0]), Block('memory', torch.zeros(1, 2)))
