"""Sum over negatives, debiased and reweighted (Chuang et al. 2020; Robinson et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mochi_mm.models.functional.contrast import OptionalBlocks, log_sum_exp


def negative_estimate(
    logits: Sequence[Tensor],
    bias: OptionalBlocks,
    lowest: Sequence[float],
    log_positive: Tensor,
    beta: float,
    tau_plus: float,
) -> tuple[Tensor, Tensor]:
    """Return the logarithm of the estimated sum over true negatives, and where it is clamped.

    With N the number of negatives, sums over them, and p the mean of ``e^l`` over positives::

        R  = N sum_j e^(beta l_j) e^(l_j) / sum_j e^(beta l_j)
        Ng = max( (R - tau_plus N p) / (1 - tau_plus), N e^lowest )

    ``beta=0`` is debiased contrastive learning (Chuang et al. 2020), ``beta>0`` with hard
    negatives (Robinson et al. 2021, HCL); ``tau_plus=0`` has nothing to subtract and is never
    clamped, with ``beta=0`` it is the plain sum. All in the logarithm: no exponential overflows.
    The weights carry gradient, as in the authors' code; a clamped row has none.

    Args:
        logits: Blocks (A, M_j), temperature already in them; -inf is no negative.
        bias: Term for each block that weighs its negatives by ``e^bias``, as in
            :func:`~mochi_mm.models.functional.contrast.contrast`; None for 1 each.
        lowest: The least logit that a candidate of each block can have, ``-1 / temperature``.
        log_positive: (A,) logarithm of p; -inf where an anchor has no positive.
        beta: Concentration of the weights on hard negatives, >= 0.
        tau_plus: Probability that a negative is of the anchor's class, in [0, 1).

    Returns:
        (A,) ``log Ng``, -inf where there is no negative, and (A,) bool.
    """
    weights = [_log_weights(block, b) for block, b in zip(logits, bias, strict=True)]
    # (A, blocks), the logarithm of the number of negatives in each
    counts = torch.stack([log_sum_exp([block]) for block in weights], dim=1)
    log_count = log_sum_exp([counts])  # (A,)
    empty = log_count == -torch.inf
    log_count = log_count.masked_fill(empty, 0.0)
    log_mean = _tilted_mean(logits, weights, beta).masked_fill(empty, 0.0)
    if tau_plus == 0:
        return (log_count + log_mean).masked_fill(empty, -torch.inf), torch.zeros_like(empty)
    least = log_sum_exp([counts[:, j : j + 1] + low for j, low in enumerate(lowest)])  # (A,)
    value, clamped = _debiased(log_mean, log_positive, least - log_count, tau_plus)
    return (log_count + value).masked_fill(empty, -torch.inf), clamped & ~empty


def _log_weights(block: Tensor, bias: Tensor | None) -> Tensor:
    """Return (A, M_j) the logarithm of each candidate's weight, -inf for what is no negative."""
    weights = torch.zeros_like(block) if bias is None else bias.detach().expand_as(block)
    return weights.masked_fill(block.detach() == -torch.inf, -torch.inf)


def _tilted_mean(logits: Sequence[Tensor], weights: Sequence[Tensor], beta: float) -> Tensor:
    """Return (A,) the logarithm of the mean of ``e^l`` under weights ``e^(beta l)``."""
    peaks = [block.detach().amax(1) for block in logits if block.shape[1]]
    peak = torch.stack(peaks, dim=1).amax(1)  # (A,)
    peak = peak.masked_fill(peak == -torch.inf, 0.0)
    # What is no negative has the weight 0; here 0 stands for its -inf, which times 0 is NaN.
    shifted = [
        (block - peak[:, None]).masked_fill(block.detach() == -torch.inf, 0.0) for block in logits
    ]
    pairs = list(zip(weights, shifted, strict=True))
    hard = log_sum_exp([weight + (1 + beta) * block for weight, block in pairs])
    norm = log_sum_exp([weight + beta * block for weight, block in pairs])
    empty = norm.detach() == -torch.inf
    return peak + hard.masked_fill(empty, 0.0) - norm.masked_fill(empty, 0.0)


def _debiased(
    log_mean: Tensor, log_positive: Tensor, floor: Tensor, tau_plus: float
) -> tuple[Tensor, Tensor]:
    """Return (A,) the logarithm of the mean over true negatives, and where it is the floor."""
    taken = math.log(tau_plus) + log_positive - log_mean  # log of the share that is subtracted
    with torch.no_grad():
        clamped = -torch.expm1(taken) <= (1 - tau_plus) * torch.exp(floor - log_mean)
    # Cleared before the exponential: where that overflows, 0 times its gradient would be NaN.
    left = -torch.expm1(taken.masked_fill(clamped, -1.0))
    value = log_mean + left.log() - math.log1p(-tau_plus)
    return torch.where(clamped, floor, value), clamped
