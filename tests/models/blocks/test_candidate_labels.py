"""Labels of candidates in the order of each block."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.blocks import (
    batch_block,
    batch_keys_block,
    candidate_labels,
    image_anchors,
    own_keys_block,
    pair_anchors,
)
from mochi_mm.structures import Views
from tests.reference import random_units

ROWS = {view: random_units(3, 4, view).float() for view in range(3)}
LABELS = dict(gt_label=torch.tensor([7, 5, 6]))


def test_each_block_has_its_order() -> None:
    anchors = image_anchors(Views(ROWS, samples=LABELS))
    batch = batch_block(anchors, torch.cdist)
    found = candidate_labels(batch, anchors, anchors.samples['gt_label'])
    assert found.tolist() == [7, 7, 7, 5, 5, 5, 6, 6, 6]
    views = Views({0: ROWS[0]}, {1: ROWS[1], 2: ROWS[2]}, LABELS)
    queries = pair_anchors(views)
    keys = batch_keys_block(queries, views, torch.cdist)
    found = candidate_labels(keys, queries, queries.samples['gt_label'])
    assert found.tolist() == [7, 5, 6, 7, 5, 6]
    for label, row in zip(found.tolist(), keys.rows, strict=True):
        place = [7, 5, 6].index(label)
        assert any(torch.equal(row, ROWS[view][place]) for view in (1, 2))
    own = torch.arange(9)
    assert candidate_labels(batch.but(labels=own), anchors, own) is own
    with pytest.raises(ValueError, match="the block 'own' has no labels"):
        candidate_labels(own_keys_block(queries), queries, own)
