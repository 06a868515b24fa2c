"""What is known and what is new: pseudo-labels, the novelty cut, a prior on classes (OpenCon)."""

from __future__ import annotations

import torch
from torch import Tensor

#: Least probability whose logarithm is taken.
LEAST = 1e-5


def known_score(logits: Tensor, num_known: int) -> Tensor:
    """Return (N,) how much each row looks like one of the known classes.

    The logits of a row are standardized over all prototypes (mean 0, unbiased standard deviation
    1); the score is the largest among the known. Where all logits of a row are equal it is 0.
    Source: Sun and Li, OpenCon, TMLR 2023, their code.

    Args:
        logits: (N, C) similarity with the prototypes over the temperature; classes 0 to
            ``num_known - 1`` are known.
        num_known: Number of known classes.
    """
    centered = logits - logits.mean(dim=1, keepdim=True)  # (N, C)
    spread = logits.std(dim=1, keepdim=True)  # (N, 1)
    scores = centered / spread.masked_fill(spread == 0, 1.0)
    return scores[:, :num_known].amax(dim=1)


def novelty_cut(scores: Tensor, labeled: Tensor, quantile: float) -> Tensor:
    """Return the quantile of the labeled rows' scores, a scalar; NaN where no row is labeled.

    Linear between neighbors, as NumPy's; nothing waits for the host.

    Args:
        scores: (N,) from :func:`known_score`.
        labeled: (N,) bool.
        quantile: Share of the labeled rows that score below the cut, in (0, 1).
    """
    return torch.nanquantile(scores.masked_fill(~labeled, float('nan')), quantile)


def prior_divergence(probabilities: Tensor, counted: Tensor, prior: Tensor) -> Tensor:
    """Return ``KL(mean of the rows || prior)``, a scalar in nats; 0 where no row counts.

    Args:
        probabilities: (N, C) class probabilities of each row.
        counted: (N,) bool, rows that the mean is taken over.
        prior: (C,) expected share of each class, summing to 1.
    """
    rows = probabilities.masked_fill(~counted[:, None], 0.0)
    number = counted.sum()
    mean = (rows.sum(dim=0) / number.clamp_min(1)).clamp_min(LEAST)  # (C,)
    value = (mean * (mean.log() - prior.log())).sum()
    return value.masked_fill(number == 0, 0.0)


def open_world_prior(num_classes: int, num_known: int, labeled_share: float) -> Tensor:
    """Return (C,) the share of each class among the unlabeled images, all classes of one size.

    ``labeled_share`` of the images of a known class have a label, so ``1 - labeled_share`` of them
    are among the unlabeled, and all images of a new class.

    Args:
        num_classes: C.
        num_known: Number of known classes, the first ones.
        labeled_share: In (0, 1).
    """
    weights = torch.ones(num_classes)
    weights[:num_known] = 1 - labeled_share
    return weights / weights.sum()
