"""Classes beside candidates of each origin, and none where there are no labels."""

from __future__ import annotations

import torch

from mochi_mm.models.blocks import (
    batch_block,
    batch_keys_block,
    image_anchors,
    own_keys_block,
    pair_anchors,
    with_classes,
)
from mochi_mm.models.blocks.with_classes import of_images
from mochi_mm.structures import Block, Views
from tests.models.heads.toy import memory, pairs


def cosines(rows: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    return rows @ candidates.T


def test_candidates_have_the_class_of_their_image() -> None:
    queries, keys, samples = pairs(4)
    labels = samples['gt_label']
    views = Views(queries, {}, samples)
    anchors = image_anchors(views)
    block = with_classes(batch_block(anchors, cosines), anchors, None, 'gt_label')
    expected = labels.repeat_interleave(2)
    assert all(torch.equal(part, expected) for part in block.classes or ())
    views = Views(queries, keys, samples)  # two queries, three keys: four pairs
    anchors = pair_anchors(views)
    block = with_classes(batch_keys_block(anchors, views, cosines), anchors, None, 'gt_label')
    assert block.classes is not None
    assert torch.equal(block.classes[0], labels.repeat(4))
    assert torch.equal(block.classes[1], labels.repeat(3))
    assert torch.equal(of_images(anchors.samples['sample_idx'], anchors), samples['sample_idx'])
    queue = memory()
    block = with_classes(Block('memory', torch.zeros(16, 11)), anchors, queue, 'gt_label')
    queue.labels.fill_(7)
    assert block.classes is not None and block.classes[1].tolist() == [0, 1, 2] * 2 + [
        0,
        1,
        -1,
        -1,
        -1,
    ]
    own = own_keys_block(anchors)
    assert with_classes(own, anchors, queue, 'gt_label') is own


def test_without_labels_there_are_no_classes() -> None:
    queries, _, samples = pairs(4)
    anchors = image_anchors(Views(queries, {}, dict(sample_idx=samples['sample_idx'])))
    block = batch_block(anchors, cosines)
    assert with_classes(block, anchors, None, 'gt_label') is block
