"""Universum rows as candidates: their order, their labels, the one that is dropped."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.blocks import image_anchors, universum_block
from mochi_mm.structures import Views
from tests.reference import dot, random_units

LABELS = torch.tensor([1, 0, 1])


@pytest.mark.parametrize('views', [1, 2, 3])
def test_candidates_stand_as_the_anchors_they_are_made_of(views: int) -> None:
    real = {v: random_units(3, 5, v).float() for v in range(views)}
    made = {views + v: random_units(3, 5, 10 + v).float() for v in range(views)}
    anchors = image_anchors(Views(real, samples=dict(gt_label=LABELS)))
    block = universum_block(anchors, made, lambda a, b: a @ b.T, anchors.samples['gt_label'])
    order = [(b, v) for b in range(3) for v in range(views)]
    for a, (image, view) in enumerate(order):
        for m, (other, kind) in enumerate(order):
            expected = dot(real[view][image], made[views + kind][other])
            assert float(block.similarity[a, m]) == pytest.approx(expected, abs=1e-6)
            assert bool(block.need('dropped')[a, m]) is (a == m)
    assert block.need('labels').tolist() == [int(LABELS[b]) for b, _ in order]
    assert torch.equal(block.need('itself'), block.need('dropped'))


def test_a_batch_of_one_image_is_refused() -> None:
    anchors = image_anchors(Views({0: torch.ones(1, 4), 1: torch.ones(1, 4)}))
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        universum_block(anchors, {2: torch.ones(1, 4), 3: torch.ones(1, 4)}, torch.mm, LABELS[:2])
