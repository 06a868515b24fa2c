"""FNC in the batch: other images that look like this one do not push it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.functional.contrast import contrast
from mochi_mm.models.heads.checks import check_choice
from mochi_mm.models.heads.false_negative_finder import STRATEGIES
from mochi_mm.models.heads.in_batch_head import DataSamples, InBatchHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Pairs


@dataclass(frozen=True)
class SupportedPairs(Pairs):
    """Pairs that know the false negatives.

    Attributes:
        found: (N, M) bool, where the candidate is a false negative of the anchor.
    """

    found: Tensor


@MODELS.register_module()
class FalseNegativeHead(InBatchHead):
    """NT-Xent that takes false negatives out of the denominator, or lets them attract.

    Which candidates they are is the same for all views of an image. Source: Huynh et al., Boosting
    Contrastive Self-Supervised Learning with False Negative Cancellation, WACV 2022.

    Args:
        finder: A :class:`FalseNegativeFinder`, as a config or a module.
        strategy: ``attract``, ``eliminate``, or ``none`` for NT-Xent over the same views.
        temperature: Divides every cosine, > 0.
        weight: See :class:`InBatchHead`.
        init_cfg: See MMEngine.

    Raises:
        ValueError: An unknown strategy; at the first batch, too few views.
    """

    def __init__(
        self,
        finder: dict | nn.Module,
        strategy: str = 'attract',
        temperature: float = 0.1,
        weight: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(temperature, weight, init_cfg)
        built: Any = MODELS.build(finder) if isinstance(finder, dict) else finder
        self.finder = built
        self.strategy = check_choice('strategy', strategy, STRATEGIES)
        self.min_views = 2 + built.num_support

    def pairs(self, views: Tensor) -> Pairs:
        """Return the :class:`SupportedPairs` of (B, V, D) unit rows."""
        numbers = range(views.shape[1])
        pairs = super().pairs(views[:, self.finder.contrasted(numbers)])
        own = (pairs.itself | pairs.same_image)[:: pairs.num_views]
        found = self.finder(views[:, self.finder.scoring(numbers)], pairs.candidates, own)
        return SupportedPairs(**vars(pairs), found=found.repeat_interleave(pairs.num_views, 0))

    def positives(self, pairs: Any, data_samples: DataSamples) -> Tensor:
        """Return 1 for the other views of the anchor's image, and for what is to attract."""
        attracting = self.strategy == 'attract'
        return (pairs.same_image | pairs.found if attracting else pairs.same_image).float()

    def objective(self, pairs: Any, logits: Tensor, weights: Tensor) -> Tensor:
        """Return the losses (N,), without what is to be eliminated."""
        if self.strategy == 'eliminate':
            logits = logits.masked_fill(pairs.found, -torch.inf)
        return contrast([logits], [weights])

    def statistics(self, pairs: Any, weights: Tensor, counted: Tensor) -> dict[str, Tensor]:
        """Add the mean number of false negatives found for an anchor."""
        found = pairs.found.float().sum(1).mean()
        return dict(super().statistics(pairs, weights, counted), false_negatives=found)
