"""Refusing scores that no class can be told from."""

from __future__ import annotations

import torch
from torch import Tensor


def finite_scores(scores: Tensor) -> Tensor:
    """Return ``scores`` as they are: of NaN the first class would be the best.

    Args:
        scores: (n, classes).

    Raises:
        ValueError: One is not finite.
    """
    finite = torch.isfinite(scores.detach()).all(dim=1)
    if not bool(finite.all()):
        raise ValueError(
            f'{int((~finite).sum())} of {len(scores)} samples have logits that are not finite, so '
            'they are of no class; expected those of a network that has not diverged, from weights '
            'that are not damaged.'
        )
    return scores
