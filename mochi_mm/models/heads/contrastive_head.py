"""The MoCo objective: classification of the own key against the keys in the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.blocks import batch_keys_block
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.memories import BaseMemory
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Mixed, MixedInputs, Views
from mochi_mm.structures.masks import either


@MODELS.register_module()
class ContrastiveHead(BaseContrastiveHead):
    """InfoNCE over the own key and the memory (He et al. 2020, eq. 1; MoCo-v2).

    Takes queries and keys. Further arguments as in :class:`BaseContrastiveHead`; the memory has to
    be said. The target of a mixed query is its own key and its partner's, by their shares.

    Args:
        memory: The memory, as a config or a module.
        temperature: Divides every cosine, > 0; None takes 0.2.
        batch_keys: Push from the keys of the other images of the batch, on all ranks, as well, as
            i-Mix does (Lee et al. 2021).
        **kwargs: As in :class:`BaseContrastiveHead`.

    >>> from mochi_mm.models.memories import FeatureQueue
    >>> head = ContrastiveHead(FeatureQueue(length=64, dim=16), temperature=0.2)
    >>> query, key = torch.randn(2, 4, 16).requires_grad_()
    >>> head.loss(query, key)['loss_contrast'].backward()
    >>> int(head.memory.count)  # the keys are in the queue, the memory of the next batch
    4
    """

    with_memory = True
    mixed_targets = True

    def __init__(
        self,
        memory: dict | nn.Module | None = None,
        temperature: float | None = None,
        batch_keys: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        self.batch_keys = batch_keys

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the own keys, where asked for those of the other images, and the memory."""
        own, memory = super().blocks(anchors, views)
        if not self.batch_keys:
            return [own, memory]
        keys = batch_keys_block(anchors, views, self.similarity)
        # What pulls stands among the own keys already.
        return [own, keys.drop(keys.positive()).but(pull=None), memory]

    def memory_block(self, anchors: Anchors, memory: BaseMemory) -> Block:
        """Return the memory's block, without rows that are masked for either image of a query."""
        block = super().memory_block(anchors, memory)
        mixed = MixedInputs.of(anchors.samples)
        if mixed is None or not (self.mask_own_keys or self.oracle_loss or self.oracle_mix):
            return block
        samples = mixed.of_partners(anchors.samples)
        with torch.no_grad():
            theirs = super().memory_block(replace(anchors, samples=samples), memory)
        spared = ~theirs.mixable if isinstance(theirs.mixable, Tensor) else None
        return block.but(dropped=either(block.dropped, theirs.dropped)).spare(spared)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks as they are: the own keys alone attract."""
        return blocks

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the figures of the frame; of a mixed query, with the key of its own image."""
        own, *rest = blocks
        main = own.but(similarity=own.similarity[:, :1])
        return super().statistics([main, *rest], mixed, counted)
