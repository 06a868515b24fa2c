"""The equation of the family: a masked, weighted softmax cross-entropy over blocks of logits.

A method says which candidates pull (weights) and which push (bias); ``docs/family.md`` lists what
each one says. :func:`~mochi_mm.models.functional.info_nce.info_nce` is the case of one positive and
shared denominators without a bias, in fewer operations.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

DENOMINATORS = ('shared', 'per_positive')
FORMS = ('outside', 'inside')
OptionalBlocks = Sequence[Tensor | None]


def log_sum_exp(blocks: Sequence[Tensor]) -> Tensor:
    """Return (N,) ``log sum exp`` over the columns of all blocks (N, M_j), never concatenated.

    A row without a finite entry gives -inf, and no gradient (``torch.logsumexp`` gives NaN there).
    """
    parts = []
    for block in blocks:
        peak = (
            block.detach().amax(1)
            if block.shape[1]
            else block.new_full(block.shape[:1], -torch.inf)
        )
        empty = peak == -torch.inf
        shift = peak.masked_fill(empty, 0.0)  # (N,)
        total = (block - shift[:, None]).exp().sum(1).masked_fill(empty, 1.0)
        parts.append((total.log() + shift).masked_fill(empty, -torch.inf))
    return parts[0] if len(parts) == 1 else log_sum_exp([torch.stack(parts, dim=1)])


def has_positive(logits: Sequence[Tensor], weights: OptionalBlocks) -> Tensor:
    """Return (N,) bool: whether an anchor has a positive, a weight above 0 that is not dropped.

    Args:
        logits: As in :func:`contrast`.
        weights: As in :func:`contrast`.
    """
    return sum_weights(logits, weights) != 0


def sum_weights(logits: Sequence[Tensor], weights: OptionalBlocks) -> Tensor:
    """Return (N,) the sum of the weights whose logit is not -inf."""
    total = logits[0].new_zeros(len(logits[0]))
    for logit, weight in zip(logits, weights, strict=True):
        if weight is not None:
            total = total + (weight * (logit.detach() != -torch.inf)).sum(1)
    return total


def _attract(shares: OptionalBlocks, logits: Sequence[Tensor], form: str) -> Tensor:
    if form == 'outside':
        return _weighted(shares, logits)
    pulled = [b + s.log() for b, s in zip(logits, shares, strict=True) if s is not None]
    return log_sum_exp(pulled)


def contrast(
    logits: Sequence[Tensor],
    weights: OptionalBlocks,
    bias: OptionalBlocks | None = None,
    *,
    denominator: str = 'shared',
    form: str = 'outside',
    positive_bias: float = 0.0,
    positive_scale: Tensor | None = None,
) -> Tensor:
    """Return the loss of each anchor against blocks of candidates, in nats.

    With ``w`` the weights divided by their sum over all blocks, ``l`` the logits, ``b`` the bias::

        shared        D_i  = log sum_j exp(l_ij + b_ij)
        per_positive  D_ip = log( exp(l_ip + positive_bias) + sum_{j: w_ij = 0} exp(l_ij + b_ij) )

        outside       loss_i = sum_p w_ip (D - positive_scale_i l_ip)
        inside        loss_i = D_i - log sum_p w_ip exp(l_ip)

    An anchor without a positive, or with an empty denominator, has the loss 0 and no gradient;
    leave it out of a mean with :func:`has_positive`. A logit or a weight that is NaN makes the loss
    NaN: only -inf and 0 stand for "none". The arithmetic is float32 (float64 stays).

    Args:
        logits: Blocks (N, M_j), temperature already in them. -inf drops a candidate altogether,
            as a positive too.
        weights: For each block (N, M_j) constants >= 0, above 0 for positives; None for a block
            without positives.
        bias: Term for each block, added to the logits in the denominator alone, broadcast to
            (N, M_j): -inf removes a candidate from it, ``-eps`` is a margin; None for nothing.
        denominator: ``shared`` by all positives of an anchor, or ``per_positive``, where a positive
            competes with the negatives only.
        form: Mean over positives outside the logarithm, or inside (``shared`` only).
        positive_bias: Added to the positive in its own denominator (``per_positive`` only).
        positive_scale: (N,) factor of the attracting part (``outside`` only); None for 1.

    Returns:
        (N,) losses; they can be negative where a positive is not in its denominator.

    Raises:
        ValueError: An unknown ``denominator`` or ``form``, settings that exclude each other, or no
            weights at all.
    """
    _check(denominator, form, positive_bias, positive_scale)
    if all(weight is None for weight in weights):
        raise ValueError('no block of candidates has weights, so nothing attracts the anchors.')
    logits = [_real(block) for block in logits]
    total = sum_weights(logits, weights)  # (N,)
    shares = [_share(w, block, total) for w, block in zip(weights, logits, strict=True)]
    pushed = _pushed(logits, bias or [None] * len(logits))
    if denominator == 'shared':
        repel = log_sum_exp(pushed)
    else:
        repel = _repel_each(pushed, logits, shares, positive_bias)
    attract = _attract(shares, logits, form)
    attract = attract if positive_scale is None else attract * positive_scale
    usable = (total != 0) & (repel.detach() != -torch.inf)  # (N,)
    # Each part is cleared by itself: -inf minus -inf has no gradient to clear.
    return repel.masked_fill(~usable, 0.0) - attract.masked_fill(~usable, 0.0)


def _real(block: Tensor) -> Tensor:
    return block if block.dtype == torch.float64 else block.float()


def _share(weight: Tensor | None, block: Tensor, total: Tensor) -> Tensor | None:
    if weight is None:
        return None
    kept = weight.detach().to(block.dtype) * (block.detach() != -torch.inf)  # (N, M_j)
    return kept / total.masked_fill(total == 0, 1.0)[:, None]


def _pushed(logits: Sequence[Tensor], bias: OptionalBlocks) -> list[Tensor]:
    return [block if b is None else block + b for block, b in zip(logits, bias, strict=True)]


def _weighted(shares: OptionalBlocks, values: OptionalBlocks) -> Tensor:
    """Return (N,) the sum of share times value; a share of 0 makes any value count for nothing."""
    parts = [
        (share * value.masked_fill(share == 0, 0.0)).sum(1)  # 0 * -inf would be NaN
        for share, value in zip(shares, values, strict=True)
        if share is not None and value is not None
    ]
    return sum(parts[1:], parts[0])


def _repel_each(
    pushed: Sequence[Tensor], logits: Sequence[Tensor], shares: OptionalBlocks, positive_bias: float
) -> Tensor:
    """Return (N,) the mean over an anchor's positives of their own denominators."""
    rest = log_sum_exp(
        [
            block if share is None else block.masked_fill(share > 0, -torch.inf)
            for block, share in zip(pushed, shares, strict=True)
        ]
    )[:, None]
    each = [
        None
        if share is None
        else torch.logaddexp(block.masked_fill(share == 0, 0.0) + positive_bias, rest)
        for block, share in zip(logits, shares, strict=True)
    ]
    return _weighted(shares, each)


def _check(
    denominator: str, form: str, positive_bias: float, positive_scale: Tensor | None
) -> None:
    if denominator not in DENOMINATORS or form not in FORMS:
        raise ValueError(
            f'denominator is {denominator!r} and form is {form!r}; expected one of '
            f'{", ".join(DENOMINATORS)} and one of {", ".join(FORMS)}.'
        )
    if form == 'inside' and (denominator != 'shared' or positive_scale is not None):
        raise ValueError(
            "form='inside' has one logarithm for all positives, so it takes no denominator per "
            "positive and no positive_scale; use form='outside'."
        )
    if positive_bias and denominator == 'shared':
        raise ValueError(
            f'positive_bias is {positive_bias} but the denominator is shared, where it has no '
            'effect; put it into bias, or use per_positive.'
        )
