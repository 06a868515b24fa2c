"""SimCLR's objective."""

from __future__ import annotations

from typing import Any

from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views


@MODELS.register_module()
class NTXentHead(BaseContrastiveHead):
    """The normalized, temperature-scaled cross-entropy NT-Xent (Chen et al. 2020, SimCLR, eq. 1).

    ``-log( e^(z_i.z_j/t) / sum_{k != i} e^(z_i.z_k/t) )`` with j the other view, k over all views
    of all images; the mean over all anchors. With more than two views, the mean over the others.

    Args:
        temperature: Divides every cosine, > 0.
        **kwargs: As in :class:`BaseContrastiveHead`.

    >>> import torch
    >>> features = torch.eye(4).view(2, 2, 4)  # 2 images, 2 views, nothing alike
    >>> round(float(NTXentHead().loss(features)['loss_contrast']), 4)  # log 3
    1.0986
    """

    with_memory = False

    def __init__(self, temperature: float = 0.1, **kwargs: Any) -> None:
        super().__init__(temperature=temperature, **kwargs)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the batch with the other views of each anchor's image as its positives."""
        return [block.attract(block.need('same_image')) for block in blocks]
