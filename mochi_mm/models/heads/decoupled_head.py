"""Decoupled contrastive learning."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.models.functional.contrast import contrast
from mochi_mm.models.functional.decoupled_weight import decoupled_weight
from mochi_mm.models.heads.checks import check_number
from mochi_mm.models.heads.nt_xent_head import NTXentHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Pairs


@MODELS.register_module()
class DecoupledHead(NTXentHead):
    """NT-Xent with the positive taken out of the denominator: DCL and DCLW (Yeh et al. 2022).

    Not the *debiased* contrastive loss of Chuang et al. The loss may well be negative.

    Args:
        temperature: Divides every cosine.
        sigma: Width of the weights of DCLW, > 0, which compares two views; None is DCL.
        detach_weight: Let no gradient flow through the weights. Public code does either.
        weight: See :class:`InBatchHead`.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A ``sigma`` that is not above 0.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        sigma: float | None = None,
        detach_weight: bool = True,
        weight: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(temperature, weight, init_cfg)
        if sigma is not None:
            check_number('sigma', sigma, 0.5)
        self.sigma, self.detach_weight = sigma, detach_weight
        self.max_views = None if sigma is None else 2

    def bias(self, pairs: Pairs, weights: Tensor) -> Tensor | None:
        """Return -inf for the positives."""
        return torch.zeros_like(weights).masked_fill(pairs.same_image, -torch.inf)

    def objective(self, pairs: Pairs, logits: Tensor, weights: Tensor) -> Tensor:
        """Return the losses (N,)."""
        scale = None if self.sigma is None else self._weight(pairs, self.sigma)
        return contrast([logits], [weights], [self.bias(pairs, weights)], positive_scale=scale)

    def _weight(self, pairs: Pairs, sigma: float) -> Tensor:
        if pairs.num_views != 2:
            raise ValueError(
                f'DCLW weighs pairs of views, got {pairs.num_views} views of each image; set '
                'num_views to 2 or sigma=None.'
            )
        images = pairs.candidates.unflatten(0, (-1, 2))
        weight = decoupled_weight((images[:, 0] * images[:, 1]).sum(1), sigma)
        weight = weight.detach() if self.detach_weight else weight
        return pairs.of_anchors(weight.repeat_interleave(2))
