"""The MoCo objective: tell the own key from the keys in the memory."""

from __future__ import annotations

from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views


@MODELS.register_module()
class ContrastiveHead(BaseContrastiveHead):
    """InfoNCE over the own key and the memory (He et al. 2020, eq. 1; MoCo-v2).

    Takes queries and keys. Arguments as in :class:`BaseContrastiveHead`; the memory has to be said.
    """

    with_memory = True

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks as they are: the own keys alone attract."""
        return blocks
