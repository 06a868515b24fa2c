"""InfoNCE, the contrastive cross-entropy (van den Oord et al. 2018; He et al. 2020, eq. 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mochi_mm.models.functional.log_sum_exp import log_sum_exp


def info_nce(positive: Tensor, negatives: Sequence[Tensor], temperature: float) -> Tensor:
    """Return ``-log( e^(p/t) / (e^(p/t) + sum_n e^(n/t)) )`` for each query.

    The blocks of negatives are never concatenated; a cosine of -inf drops that negative.

    Args:
        positive: (B,) cosine of each query with its key.
        negatives: Blocks (B, M) of cosines with negatives: memory rows, synthetic ones.
        temperature: t above, > 0.

    Returns:
        (B,) losses in nats; ``log(1 + number of negatives)`` when all cosines are equal.
    """
    positive = positive / temperature
    parts = [positive] + [log_sum_exp(block, temperature) for block in negatives]
    return torch.logsumexp(torch.stack(parts, dim=1), dim=1) - positive
