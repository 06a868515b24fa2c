"""Search for false negatives by the support views of each image."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.models.functional.false_negatives import (
    AGGREGATES,
    find_false_negatives,
    support_scores,
)
from mochi_mm.registry import MODELS
from mochi_mm.utils.checks import check_choice, check_cosine, check_integer

SUPPORT = ('full', 'score')


@MODELS.register_module()
class FalseNegativeFinder(BaseModule):
    """Score candidates by an image's support views; the nearest above a threshold are found.

    Source: Huynh et al., Boosting Contrastive Self-Supervised Learning with False Negative
    Cancellation, WACV 2022; defaults of its code (google-research/fnc).

    Args:
        num_support: S, number of an image's views, its last ones, that are support views.
        support: Role of the support views. ``full``: they are anchors, positives and candidates
            like the others, and all views score (the code). ``score``: they score, alone, and do
            nothing else (the paper).
        top_k: Most false negatives per image; None for no limit.
        threshold: Least cosine of a false negative, in [-1, 1); None for none.
        aggregate: Cosine over the views that score: their ``max`` or ``mean``.
        init_cfg: See MMEngine.

    Raises:
        ValueError: An impossible setting, or neither ``top_k`` nor ``threshold``.
    """

    def __init__(
        self,
        num_support: int = 8,
        support: str = 'full',
        top_k: int | None = 10,
        threshold: float | None = 0.7,
        aggregate: str = 'max',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_integer('num_support', num_support, 8)
        if top_k is None and threshold is None:
            raise ValueError(
                'top_k and threshold are both None, so every candidate would be a false negative; '
                'set at least one, such as top_k=10.'
            )
        if top_k is not None:
            check_integer('top_k', top_k, 10)
        if threshold is not None:
            check_cosine('threshold', threshold)
        check_choice('aggregate', aggregate, AGGREGATES)
        check_choice('support', support, SUPPORT)
        self.num_support, self.support = num_support, support
        self.top_k, self.threshold, self.aggregate = top_k, threshold, aggregate

    def contrasted(self, views: Sequence[int]) -> list[int]:
        """Return the views of an image that are contrasted.

        Raises:
            ValueError: Fewer than two views besides the support views.
        """
        if len(views) < 2 + self.num_support:
            raise ValueError(
                f'got {len(views)} views of each image, too few for {self.num_support} support '
                f'views; expected at least {2 + self.num_support}: set num_views of MultiView and '
                'of the algorithm, or lower num_support.'
            )
        return list(views) if self.support == 'full' else list(views[: -self.num_support])

    def scoring(self, views: Sequence[int]) -> list[int]:
        """Return the views of an image that score the candidates."""
        return list(views) if self.support == 'full' else list(views[-self.num_support :])

    def forward(self, scoring: Tensor, candidates: Tensor, excluded: Tensor) -> Tensor:
        """Return a (B, M) mask of the false negatives, without gradient.

        Args:
            scoring: (B, S, D) unit rows, the views that score.
            candidates: (M, D) unit rows.
            excluded: bool, broadcast to (B, M): never found, such as the own image.
        """
        scores = support_scores(scoring, candidates, self.aggregate)
        scores = scores.masked_fill(excluded, float('-inf'))  # (B, M)
        return find_false_negatives(scores, self.top_k, self.threshold)
