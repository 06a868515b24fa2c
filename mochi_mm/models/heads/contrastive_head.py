"""The MoCo objective: tell the own key from the keys in the memory."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.models.functional.contrast import contrast
from mochi_mm.models.functional.info_nce import info_nce
from mochi_mm.models.heads.memory_head import MemoryHead, Weights
from mochi_mm.registry import MODELS


@MODELS.register_module()
class ContrastiveHead(MemoryHead):
    """InfoNCE over the own key and the memory (He et al. 2020, eq. 1; MoCo-v2).

    A subclass that lets memory rows pull says which in ``roles``; the loss is then the softmax
    cross-entropy with these weights, over the same candidates.
    """

    #: Where several keys pull: mean over them outside the logarithm or inside.
    pull_form = 'outside'

    def objective(
        self, own: Tensor, rows: Tensor, synthetic: Tensor | None, weights: Weights = None
    ) -> dict[str, Tensor]:
        """Return ``loss_contrast`` (B,), in nats."""
        blocks = [rows] if synthetic is None else [rows, synthetic]
        if weights is None and own.shape[1] == 1:  # the same in fewer operations
            return dict(loss_contrast=info_nce(own[:, 0], blocks, self.temperature))
        pull_own, pull_rows = (own.new_ones(own.shape), None) if weights is None else weights
        logits = [block / self.temperature for block in (own, *blocks)]
        pull = [pull_own, pull_rows, None][: len(logits)]
        return dict(loss_contrast=contrast(logits, pull, form=self.pull_form))
