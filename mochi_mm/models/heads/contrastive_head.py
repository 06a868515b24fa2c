"""The MoCo objective: classification of the own key against the keys in the memory."""

from __future__ import annotations

from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views


@MODELS.register_module()
class ContrastiveHead(BaseContrastiveHead):
    """InfoNCE over the own key and the memory (He et al. 2020, eq. 1; MoCo-v2).

    Takes queries and keys. Arguments as in :class:`BaseContrastiveHead`; the memory has to be said.

    >>> from mochi_mm.models.memories import FeatureQueue
    >>> head = ContrastiveHead(FeatureQueue(length=64, dim=16), temperature=0.2)
    >>> query, key = torch.randn(2, 4, 16).requires_grad_()
    >>> head.loss(query, key)['loss_contrast'].backward()
    >>> int(head.memory.count)  # the keys are in the queue, the memory of the next batch
    4
    """

    with_memory = True

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks as they are: the own keys alone attract."""
        return blocks
