"""FairKL: distances that do not depend on a shared bias (Barbano et al. 2023, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor

FORMS = ('released', 'moments', 'gaussian')
EMPTY_GROUPS = ('left_out', 'zero')
# Under the root of a variance: the gradient of a root is infinite at 0.
TINY = 1e-12


def fair_kl(
    cosine: Tensor,
    same_class: Tensor,
    same_bias: Tensor,
    form: str,
    spread: float = 1.0,
    empty_group: str = 'left_out',
) -> Tensor:
    """Return the distance of the cosines with bias-aligned and with bias-conflicting samples.

    Ordered pairs (i, j) fall into four groups: same class or not, same bias (aligned) or not
    (conflicting). With m and s the mean and deviation of a group's cosines::

        released  (m_+c - m_+a)^2 + (m_-a - m_-c)^2 + spread ((s_+a - s_+c)^2 + (s_-a - s_-c)^2)
                  - m_+c + m_-a
        moments   (m_+a - m_+c)^2 + (m_-a - m_-c)^2 + spread ((s_+a - s_+c)^2 + (s_-a - s_-c)^2)
        gaussian  KL(N(m_+a, s_+a^2) | N(m_+c, s_+c^2)) + the same for the other class

    ``released`` is the authors' code: i = j is in its aligned positives, and its deviations are
    taken over the whole matrix with the pairs of other groups as zeros. The other forms leave i = j
    out and use a group's own pairs (population deviation).

    Args:
        cosine: (n, n) cosines of every sample with every sample.
        same_class: (n, n) bool.
        same_bias: (n, n) bool.
        form: See above.
        spread: Weight of the deviations in the first two forms.
        empty_group: Treatment of a group without pairs: ``left_out`` of the comparison; or compared
            as one with a mean and a deviation of ``zero``, as in the authors' code
            (``released`` only).

    Returns:
        A scalar.
    """
    itself = torch.eye(len(cosine), dtype=torch.bool, device=cosine.device)
    total = cosine.new_zeros(())
    for positive in (True, False):
        group = same_class if positive else ~same_class
        aligned, conflicting = group & same_bias, group & ~same_bias
        if form != 'released':
            aligned, conflicting = aligned & ~itself, conflicting & ~itself
        both = ((aligned.any() & conflicting.any()) | (empty_group == 'zero')).to(cosine.dtype)
        mean_a, mean_c = _mean(cosine, aligned), _mean(cosine, conflicting)
        if form == 'released':
            gap = (mean_a - mean_c).square() + spread * _gap_over_all(cosine, aligned, conflicting)
            total = total + both * gap + (-mean_c if positive else mean_a)
            continue
        variance_a = _mean((cosine - mean_a).square(), aligned) + TINY
        variance_c = _mean((cosine - mean_c).square(), conflicting) + TINY
        if form == 'moments':
            gap = (mean_a - mean_c).square()
            gap = gap + spread * (variance_a.sqrt() - variance_c.sqrt()).square()
        else:
            ratio = variance_a / variance_c
            gap = 0.5 * (ratio - 1 - ratio.log() + (mean_a - mean_c).square() / variance_c)
        total = total + both * gap
    return total


def _mean(values: Tensor, group: Tensor) -> Tensor:
    """Return the mean over a group, 0 for an empty one."""
    return values.masked_fill(~group, 0.0).sum() / group.sum().clamp_min(1)


def _gap_over_all(cosine: Tensor, aligned: Tensor, conflicting: Tensor) -> Tensor:
    """Return the squared gap of deviations as released: other groups' pairs count as zeros."""
    spreads = [
        (cosine.masked_fill(~group, 0.0).var() + TINY).sqrt() for group in (aligned, conflicting)
    ]
    return (spreads[0] - spreads[1]).square()
