"""Decoupled contrastive learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import row_counts
from mochi_mm.models.blocks.batch import own_rows
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.functional.decoupled_weight import decoupled_weight
from mochi_mm.models.heads.nt_xent_head import NTXentHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views
from mochi_mm.utils.checks import check_number


@MODELS.register_module()
class DecoupledHead(NTXentHead):
    """NT-Xent with the positive taken out of the denominator: DCL and DCLW (Yeh et al. 2022).

    Not the *debiased* contrastive loss of Chuang et al. The loss may well be negative.

    Args:
        temperature: Divides every cosine, > 0.
        sigma: Width of the weights of DCLW, > 0, which compares two views; None is DCL.
        detach_weight: Let no gradient flow through the weights; None is True. Public code does
            either.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A ``sigma`` that is not above 0.

    >>> features = torch.ones(4, 2, 16)  # 4 images, 2 views, all alike
    >>> round(float(DecoupledHead().loss(features)['loss_contrast']), 4)  # log 6, the negatives
    1.7918
    """

    def __init__(
        self,
        temperature: float = 0.1,
        sigma: float | None = None,
        detach_weight: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, **kwargs)
        if sigma is not None:
            check_number('sigma', sigma, 0.5)
        elif detach_weight is not None:
            raise ValueError(
                f'detach_weight is {detach_weight!r} and sigma is None, so that there are no '
                'weights; set sigma, or leave it out.'
            )
        self.sigma, self.detach_weight = sigma, detach_weight is not False
        self.max_views = None if sigma is None else 2

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the batch, with positives that attract and do not stand in the denominator."""
        (block,) = super().positives(anchors, blocks, views)
        bias = torch.zeros_like(block.similarity).masked_fill(block.need('same_image'), -torch.inf)
        return [block.but(push_bias=bias)]

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor."""
        scale = None if self.sigma is None else self._weight(anchors, blocks[0], self.sigma)
        return contrast_blocks(blocks, self.temperature, positive_scale=scale)

    def _weight(self, anchors: Anchors, block: Block, sigma: float) -> Tensor:
        """Return (A,) the weight of each anchor's pair of views."""
        if anchors.num_views != 2:
            raise ValueError(
                f'DCLW weighs pairs of views, got {anchors.num_views} views of each image; set '
                'num_views to 2 or sigma=None.'
            )
        images = block.need('rows').unflatten(0, (-1, 2))  # (images of all ranks, 2, D)
        weight = decoupled_weight(self.similarity_of_pairs(images[:, 0], images[:, 1]), sigma)
        weight = weight.detach() if self.detach_weight else weight
        counts = row_counts(len(anchors.rows))
        return own_rows(weight.repeat_interleave(2), len(anchors.rows), counts)
