"""Rows of a memory that a setting of the head leaves out."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from mochi_mm.models.blocks import pair_anchors
from mochi_mm.models.heads import ContrastiveHead
from mochi_mm.models.heads.masked_memory import masked_memory
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views


def test_own_keys_and_the_class() -> None:
    """Rows 1 and 3 are of the class of the query, row 1 of its image; row 4 holds no key."""
    queue = FeatureQueue(length=5, dim=3)
    rows = F.normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    queue.enqueue(rows, torch.tensor([0, 2, 1, 2]), torch.tensor([9, 7, 8, 6]))
    unit = F.normalize(torch.ones(1, 3), dim=1)
    samples = dict(gt_label=torch.tensor([2]), sample_idx=torch.tensor([7]))
    anchors = pair_anchors(Views({0: unit}, {1: unit}, samples))
    own, mate = torch.tensor([[0, 1, 0, 0, 0]]).bool(), torch.tensor([[0, 1, 0, 1, 0]]).bool()

    def block(**settings: bool) -> tuple[torch.Tensor, torch.Tensor]:
        found = masked_memory(ContrastiveHead(queue, **settings), anchors, queue)
        dropped = torch.zeros(1, 5, dtype=torch.bool) if found.dropped is None else found.dropped
        mixable = found.mixable
        return dropped[:, :4], (~dropped if mixable is True else mixable)[:, :4]

    dropped, mixable = block()
    assert not dropped.any() and mixable.all()
    dropped, mixable = block(mask_own_keys=True)
    assert torch.equal(dropped, own[:, :4]) and torch.equal(mixable, ~own[:, :4])
    dropped, mixable = block(oracle_loss=True)
    assert torch.equal(dropped, mate[:, :4])
    dropped, mixable = block(oracle_mix=True)
    assert not dropped.any() and torch.equal(mixable, ~mate[:, :4])
