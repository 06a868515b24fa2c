"""The frame of every objective whose candidates are the batch itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.distributed.rows import (
    gather_rows,
    gather_rows_with_gradient,
    mean_over_ranks,
    rank,
    row_counts,
)
from mochi_mm.models.functional.contrast import contrast, has_positive
from mochi_mm.models.heads.checks import check_images, check_number, check_temperature, known
from mochi_mm.structures import Pairs

DataSamples = Mapping[str, Tensor]


class InBatchHead(BaseModule):
    """V embeddings of each image in, losses and statistics out; every view is an anchor.

    The order of one step is fixed here: normalise in float32, gather the candidates of all ranks
    with gradient, take the cosines, drop each anchor's own, objective, statistics. A subclass says
    who attracts (:meth:`positives`) and, where that differs, who repels (:meth:`bias`) or how the
    two are put together (:meth:`objective`).

    Args:
        temperature: Divides every cosine, > 0.
        weight: Of the loss, > 0. The loss is a mean over anchors; 2.0 makes it the sum over the
            two views that some published codes take.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A temperature or a weight that is not above 0.
    """

    #: Views of each image that the objective needs at least.
    min_views = 2
    #: Views that it can compare at most; None for any number.
    max_views: int | None = None
    #: Whether anchors without a positive count in the mean, with the loss 0.
    count_all = False
    #: Algorithms that hand this head what it takes.
    algorithms: tuple[str, ...] = ('InBatchContrast',)

    def __init__(
        self, temperature: float = 0.1, weight: float = 1.0, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.temperature = check_temperature(temperature)
        self.weight = check_number('weight', weight, 1.0)

    def loss(self, features: Tensor, data_samples: DataSamples | None = None) -> dict[str, Tensor]:
        """Return ``loss_contrast`` and statistics of one batch.

        Args:
            features: (B, V, D) raw embeddings, with gradient.
            data_samples: Tensors (B,) by name: ``gt_label`` and what else the objective uses.

        Returns:
            Scalars: names with ``loss`` in them are optimised, the others logged.

        Raises:
            ValueError: Fewer than ``min_views`` views, or labels that are missing.
        """
        if features.ndim != 3 or features.shape[1] < self.min_views:
            raise ValueError(
                f'embeddings of shape {tuple(features.shape)}; {type(self).__name__} takes '
                f'(images, views, width) with at least {self.min_views} views: set num_views of '
                'MultiView in the pipeline and of the algorithm.'
            )
        with torch.autocast(features.device.type, enabled=False):
            return self._loss(F.normalize(features.float(), dim=2), data_samples or {})

    def _loss(self, views: Tensor, data_samples: DataSamples) -> dict[str, Tensor]:
        pairs = self.pairs(views)
        logits = (pairs.cosine / self.temperature).masked_fill(pairs.itself, -torch.inf)
        weights = self.positives(pairs, data_samples)
        losses = self.objective(pairs, logits, weights)
        counted = has_positive([logits], [weights])
        mean = mean_over_ranks(losses, None if self.count_all else counted)
        result = dict(loss_contrast=self.weight * mean)
        with torch.no_grad():
            result.update(self.statistics(pairs, weights, counted))
        return result

    def pairs(self, views: Tensor) -> Pairs:
        """Return the cosines of this rank's (B, V, D) unit rows with those of all ranks."""
        num_views = views.shape[1]
        anchors = views.flatten(0, 1)
        counts = row_counts(len(anchors), anchors.device)
        candidates = gather_rows_with_gradient(anchors, counts)
        check_images(len(candidates) // num_views)
        first = sum(counts[: rank()])
        row = torch.arange(len(candidates), device=anchors.device)
        own = row[first : first + len(anchors), None]
        itself = own == row
        same_image = (own // num_views == row // num_views) & ~itself
        return Pairs(anchors @ candidates.T, itself, same_image, candidates, num_views, first)

    def same_class(self, pairs: Pairs, data_samples: DataSamples) -> Tensor:
        """Return (N, M) 1.0 for candidates with the anchor's ``gt_label``, but the anchor itself.

        Raises:
            ValueError: ``gt_label`` is missing or unknown.
        """
        labels = known(data_samples, 'gt_label', type(self).__name__)
        return pairs.equal(gather_rows(labels.repeat_interleave(pairs.num_views))).float()

    @abstractmethod
    def positives(self, pairs: Pairs, data_samples: DataSamples) -> Tensor:
        """Return (N, M) weights >= 0, above 0 where the candidate attracts the anchor."""

    def bias(self, pairs: Pairs, weights: Tensor) -> Tensor | None:
        """Return what is added to the logits in the denominator, (N, M), or None for nothing."""
        return None

    def objective(self, pairs: Pairs, logits: Tensor, weights: Tensor) -> Tensor:
        """Return the losses (N,), 0 for anchors without a positive, which the mean leaves out
        unless ``count_all`` is set.

        Args:
            pairs: Who is who.
            logits: (N, M) cosines over temperature; -inf for the anchor itself.
            weights: (N, M) from :meth:`positives`.
        """
        return contrast([logits], [weights], [self.bias(pairs, weights)])

    def statistics(self, pairs: Pairs, weights: Tensor, counted: Tensor) -> dict[str, Tensor]:
        """Return what is logged beside the loss: the share of anchors whose nearest candidate is
        a positive, the mean cosine with a positive, the share of anchors that have one, and the
        loss of a network that tells nothing apart."""
        cosine = pairs.cosine.masked_fill(pairs.itself, -2.0)
        pull = (weights > 0) & ~pairs.itself
        hits = pull.gather(1, cosine.argmax(1, keepdim=True)).float().mean()
        return dict(
            acc_contrast=hits,
            sim_positive=(cosine * pull).sum() / pull.sum().clamp_min(1),
            share_counted=counted.float().mean(),
            chance_level=cosine.new_tensor(float(cosine.shape[1] - 1)).log(),
        )
