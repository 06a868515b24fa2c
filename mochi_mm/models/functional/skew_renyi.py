"""Bound by the skew Renyi divergence (Lee and Shin 2022, RenyiCL)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mochi_mm.models.functional.contrast import OptionalBlocks, log_sum_exp


def skew_renyi_sums(
    logits: Sequence[Tensor], weights: OptionalBlocks, bias: OptionalBlocks, gamma: float
) -> Tensor:
    """Return what :func:`skew_renyi` needs of each anchor, (A, 5), so that ranks can exchange it.

    With f the logits, sums over positives p weighed by w and over negatives q by ``e^bias``::

        log sum_p w e^((gamma - 1) f),  log sum_p w e^(gamma f),  log sum_q e^(gamma f + bias),
        log sum_p w,  log sum_q e^bias

    With ``gamma=1`` the first is the plain ``sum_p w f``.

    Args:
        logits: Blocks (A, M_j), temperature already in them; -inf drops a candidate.
        weights: For each block (A, M_j) constants >= 0, above 0 for positives; None for a block of
            negatives alone.
        bias: Term for each block, broadcast to (A, M_j); None for nothing.
        gamma: Order of the divergence, > 0.
    """
    pull, pulled, push, pushed = [], [], [], []
    for logit, weight, term in zip(logits, weights, bias, strict=True):
        gone = logit.detach() == -torch.inf
        factor = torch.zeros_like(logit) if term is None else term.detach().expand_as(logit)
        if weight is None:
            push.append(factor.masked_fill(gone, -torch.inf))
        else:
            pull.append(weight.detach().log().masked_fill(gone, -torch.inf))  # (A, M_j)
            pulled.append(logit.masked_fill(gone, 0.0))
            push.append(factor.masked_fill(gone | (weight > 0), -torch.inf))
        pushed.append(logit.masked_fill(gone, 0.0))
    first = _sum(pull, pulled) if gamma == 1 else _log_sum(pull, pulled, gamma - 1)
    parts = [
        first,
        _log_sum(pull, pulled, gamma),
        _log_sum(push, pushed, gamma),
        log_sum_exp(pull),
        log_sum_exp(push),
    ]
    return torch.stack(parts, dim=1)


def skew_renyi(sums: Tensor, gamma: float, alpha: float) -> Tensor:
    """Return the bound R on a divergence of positives P from a mixture of P and negatives Q.

    With the logits f, and means over all pairs of all anchors, a scalar::

        R = log E_P[e^((gamma - 1) f)] / (gamma - 1)
            - log( alpha E_P[e^(gamma f)] + (1 - alpha) E_Q[e^(gamma f)] ) / gamma

    With ``gamma=1`` the first term is ``E_P[f]``. R is 0 where all f are equal. The authors' code
    minimizes a linear surrogate with the gradient of -R and another value.

    Args:
        sums: (n, 5) of n anchors, from :func:`skew_renyi_sums`.
        gamma: Order of the divergence, > 0.
        alpha: Share of the positives in the mixture, in [0, 1).
    """
    first, same, other, number, numbers = sums.unbind(1)
    number, numbers = (log_sum_exp([n[None]]) for n in (number, numbers))  # (1,) each
    if gamma == 1:
        reached = first.sum() / number.exp()
    else:
        reached = (log_sum_exp([first[None]]) - number) / (gamma - 1)
    mixture = math.log1p(-alpha) + log_sum_exp([other[None]]) - numbers
    if alpha > 0:
        positives = math.log(alpha) + log_sum_exp([same[None]]) - number
        mixture = torch.logaddexp(positives, mixture)
    return (reached - mixture / gamma).squeeze()


def _log_sum(weights: Sequence[Tensor], logits: Sequence[Tensor], factor: float) -> Tensor:
    """Return (A,) the logarithm of the sum of ``e^(weight + factor logit)``."""
    return log_sum_exp([w + factor * f for w, f in zip(weights, logits, strict=True)])


def _sum(weights: Sequence[Tensor], logits: Sequence[Tensor]) -> Tensor:
    """Return (A,) the sum of ``e^weight logit``."""
    parts = [(w.exp() * f).sum(1) for w, f in zip(weights, logits, strict=True)]
    return torch.stack(parts, dim=1).sum(1)
