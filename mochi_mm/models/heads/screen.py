"""What a head leaves out of its candidates as false negatives, before anything is mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from mochi_mm.models.blocks import with_classes
from mochi_mm.structures import Anchors, Block
from mochi_mm.structures.head_step import Write

if TYPE_CHECKING:
    from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead


def screen(
    head: BaseContrastiveHead, anchors: Anchors, blocks: Sequence[Block]
) -> tuple[list[Block], tuple[Write, ...], dict[str, Tensor]]:
    """Return the blocks without what ``removal`` and ``threshold`` find, writes, statistics.

    Args:
        head: With both parts, or with None in their place.
        anchors: Rows that are compared with the candidates.
        blocks: Candidates, with their positives marked.
    """
    kept, figures = list(blocks), dict[str, Tensor]()
    if head.removal is not None:
        kept, figures = head.removal(anchors, kept, head.labels)
    if head.threshold is None:
        return kept, (), figures
    known = [with_classes(block, anchors, head.memory, head.label_key) for block in kept]
    kept, writes = head.threshold(anchors, known)
    return kept, writes, figures
