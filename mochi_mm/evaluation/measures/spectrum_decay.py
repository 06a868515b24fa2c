"""Decay of the spectrum of features (alpha-ReQ): how fast their variances fall."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.evaluation.measures.effective_rank import singular_values

#: Ranks that the slope is fitted to; the paper's own were not found.
RANKS = (11, 50)
_LEAST = 1e-10  # of the largest variance; what lies below is rounding


@torch.no_grad()
def spectrum_decay(features: Tensor, ranks: tuple[int, int] = RANKS) -> float:
    """Return alpha where the variances of (M, C) features fall as ``rank ** -alpha``.

    Minus the slope, by plain least squares, of the logarithm of the covariance's eigenvalues on the
    logarithm of their rank. Source: Agrawal et al., alpha-ReQ, NeurIPS 2022, where a value near 1
    is good (all recalled).

    Args:
        features: Taken as they are; they are centered here.
        ranks: First and last rank of the fit, counted from 1.

    Raises:
        ValueError: No row, features that are not finite, or fewer variances above zero than
            ``ranks`` asks for.
    """
    values = singular_values(features.double() - features.double().mean(dim=0))
    return decay_of(values.square(), ranks)


def decay_of(variances: Tensor, ranks: tuple[int, int] = RANKS) -> float:
    """Return alpha of (C,) variances, largest first; see :func:`spectrum_decay`."""
    first, last = ranks
    if not 1 <= first < last:
        raise ValueError(f'ranks is {ranks}; expected a first of at least 1 and a later last.')
    live = int((variances > _LEAST * variances.max()).sum())
    if live < last:
        raise ValueError(
            f'{live} variances of the features are above zero and the slope is fitted to ranks '
            f'{first} to {last}; it needs wider features, more samples, or a network that has not '
            'collapsed.'
        )
    x = torch.arange(first, last + 1, dtype=torch.float64).log()
    y = variances[first - 1 : last].double().cpu().log()
    x = x - x.mean()
    return -float((x * (y - y.mean())).sum() / x.square().sum())
