"""The MoCo objective: tell the own key from the keys in the memory."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.models.functional.info_nce import info_nce
from mochi_mm.models.heads.memory_head import MemoryHead
from mochi_mm.registry import MODELS


@MODELS.register_module()
class ContrastiveHead(MemoryHead):
    """InfoNCE over the own key and the memory (He et al. 2020, eq. 1; MoCo-v2)."""

    def objective(
        self, positive: Tensor, negatives: Tensor, synthetic: Tensor | None
    ) -> dict[str, Tensor]:
        """Return ``loss_contrast`` (B,), in nats."""
        blocks = [negatives] if synthetic is None else [negatives, synthetic]
        return dict(loss_contrast=info_nce(positive, blocks, self.temperature))
