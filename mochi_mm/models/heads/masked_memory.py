"""The memory as candidates, without what a setting of the head leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_mm.models.blocks import memory_block, same_label
from mochi_mm.models.memories import BaseMemory
from mochi_mm.structures import Anchors, Block
from mochi_mm.structures.known import require_known
from mochi_mm.structures.masks import either

if TYPE_CHECKING:
    from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead


def masked_memory(head: BaseContrastiveHead, anchors: Anchors, memory: BaseMemory) -> Block:
    """Return the memory's block without own older keys and rows that an oracle leaves out.

    Args:
        head: With ``mask_own_keys``, ``oracle_loss``, ``oracle_mix`` and, where labels come from
            one, a ``table``.
        anchors: A queries.
        memory: K rows.
    """
    labels = None if head.table is None else head.table.look_up('label', memory.indices)
    block = memory_block(anchors, memory, head.similarity, labels)
    if head.mask_own_keys:
        indices = require_known(anchors.samples, 'sample_idx', 'mask_own_keys')
        same_image = memory.own_keys(indices)  # (A, K)
        block = block.but(same_image=same_image).drop(same_image)
    if head.oracle_loss or head.oracle_mix:
        same = same_label(head.labels(anchors.samples, 'a class oracle'), block)  # (A, K)
        block = block.spare(same) if head.oracle_mix else block
        if head.oracle_loss:
            block = block.but(dropped=either(block.dropped, same))
    return block
