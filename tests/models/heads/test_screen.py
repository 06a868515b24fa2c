"""False negatives are left out before anything is mixed, by a rule, a threshold or both."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.blocks import batch_block, image_anchors
from mochi_mm.models.heads import NTXentHead
from mochi_mm.models.heads.screen import screen
from mochi_mm.structures import Views


@pytest.mark.parametrize(('removal', 'threshold'), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_either_or_both(removal: int, threshold: int) -> None:
    head = NTXentHead(
        removal=dict(rule='top_k', top_k=1) if removal else None,
        threshold=dict(length=9, alpha=0.2) if threshold else None,
    )
    views = {v: torch.randn(4, 6, generator=torch.Generator().manual_seed(v)) for v in (0, 1)}
    samples = dict(sample_idx=torch.arange(4), gt_label=torch.arange(4))
    unit = head.normalize(Views(views, samples=samples))
    anchors = image_anchors(unit)
    blocks = head.positives(anchors, [batch_block(anchors, head.similarity)], unit)
    (kept,), writes, figures = screen(head, anchors, blocks)
    before = blocks[0].need('dropped')
    if not removal and not threshold:
        assert kept is blocks[0] and not writes and not figures
    if removal:  # one candidate of each anchor more
        assert (kept.need('dropped') & ~before).sum(1).min() >= 1
    assert bool(writes) == bool(threshold)
