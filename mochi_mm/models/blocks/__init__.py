"""Builders of blocks, one for each origin of candidates."""

from mochi_mm.models.blocks.anchors import image_anchors, pair_anchors, query_anchors
from mochi_mm.models.blocks.batch import batch_block
from mochi_mm.models.blocks.batch_keys import batch_keys_block
from mochi_mm.models.blocks.cancel import cancel
from mochi_mm.models.blocks.candidate_labels import candidate_labels
from mochi_mm.models.blocks.memory import memory_block
from mochi_mm.models.blocks.own_keys import own_keys_block
from mochi_mm.models.blocks.prototypes import prototype_block
from mochi_mm.models.blocks.same_label import same_label
from mochi_mm.models.blocks.universum import universum_block
from mochi_mm.models.blocks.with_classes import with_classes

__all__ = [
    'batch_block',
    'batch_keys_block',
    'cancel',
    'candidate_labels',
    'image_anchors',
    'memory_block',
    'own_keys_block',
    'pair_anchors',
    'prototype_block',
    'query_anchors',
    'same_label',
    'universum_block',
    'with_classes',
]
