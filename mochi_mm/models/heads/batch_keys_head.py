"""Base class of heads whose candidates are the keys of the batch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mochi_mm.models.blocks.batch_keys import without_partners
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.structures import Anchors, Block, Mixed, Views


class BatchKeysHead(BaseContrastiveHead):
    """Objectives on one block, that of :func:`batch_keys_block`, in which the own key attracts.

    A subclass says which queries meet which keys. The queries may be mixed: each is then attracted
    by the keys of both images, and its figures are those of its own image.
    """

    with_memory = False
    mixed_targets = True

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the keys as they are: those of the image, or images, attract."""
        return blocks

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the figures of the frame; of a mixed query, with the key of its own image."""
        keys, *rest = blocks
        return super().statistics([without_partners(keys), *rest], mixed, counted)
