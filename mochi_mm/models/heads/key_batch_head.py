"""The MoCo-v3 objective: classification of the own key among the keys of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mochi_mm.models.blocks import batch_keys_block, pair_anchors
from mochi_mm.models.heads.batch_keys_head import BatchKeysHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views


@MODELS.register_module()
class KeyBatchHead(BatchKeysHead):
    """InfoNCE over the keys of the whole batch, summed over the pairs of views (MoCo-v3).

    ``sum over pairs (i, j) of 2 t CE(q_i . k_j / t)`` with the keys of all ranks as candidates and
    no memory. The factor 2 t takes most of the temperature out of the gradient. Source: Chen, Xie
    and He, An Empirical Study of Training Self-Supervised Vision Transformers, ICCV 2021.

    Args:
        temperature: t, divides every cosine, > 0; 0.2 for vision transformers, 1.0 for ResNets.
        **kwargs: As in :class:`BaseContrastiveHead`.

    >>> query = key = torch.eye(4)  # each query is its own key, and nothing else is alike
    >>> loss = KeyBatchHead(temperature=0.2).loss(query, key)['loss_contrast']
    >>> round(float(loss), 4)  # 0.4 log(1 + 3 / e^5)
    0.008
    """

    takes = 'pairs'

    def __init__(self, temperature: float = 0.2, **kwargs: Any) -> None:
        super().__init__(temperature=temperature, **kwargs)

    def anchors(self, views: Views) -> Anchors:
        """Return a query for each pair of an online and another target view."""
        return pair_anchors(views)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the keys of the batch."""
        return [batch_keys_block(anchors, views, self.similarity)]

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor, so that the mean is the sum over pairs of views."""
        return self._factor(anchors) * super().objective(anchors, blocks)

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the value of :meth:`objective` where all similarities are equal."""
        return self._factor(anchors) * super().chance_level(anchors, blocks)

    def _factor(self, anchors: Anchors) -> float:
        pairs = len(anchors.rows) // anchors.num_images
        return 2 * self.temperature * pairs
