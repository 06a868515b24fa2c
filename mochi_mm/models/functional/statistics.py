"""Statistics of a contrastive step: the numbers logged beside the loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mochi_mm.structures import Block, Mixed
from mochi_mm.structures.masks import without


def contrastive_accuracy(positive: Tensor, hardest: Tensor) -> Tensor:
    """Return the share of queries whose key is nearer than their hardest negative, a scalar.

    Args:
        positive: (B,) cosine with the key.
        hardest: (B,) largest cosine with a negative.
    """
    return (positive > hardest).float().mean()


def mean_finite(values: Tensor) -> Tensor:
    """Return the mean of the finite entries, NaN when there is none (masked entries are -inf)."""
    finite = torch.isfinite(values)
    total = torch.where(finite, values, torch.zeros_like(values)).sum()
    return total / finite.sum()


def mean_positive(block: Block) -> Tensor:
    """Return (A, 1) the mean similarity of each anchor to its positives, 0 without any."""
    positive = block.positive()
    if positive is None:
        return block.similarity.new_zeros(len(block.similarity), 1)
    total = (block.similarity * positive).sum(1, keepdim=True)  # (A, 1)
    return total / positive.sum(1, keepdim=True).clamp_min(1)


def key_statistics(own: Tensor, pushing: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return accuracy and similarities of the own keys against the negatives.

    Args:
        own: (A, P) cosines with the own keys.
        pushing: (A, M) cosines with the negatives, one tensor per block; -inf for other candidates.
    """
    positive, hardest = own.mean(1), _largest(pushing)
    return dict(acc_contrast=contrastive_accuracy(positive, hardest), sim_positive=positive.mean())


def mixing_statistics(own: Tensor, pushing: Sequence[Tensor], mixed: Mixed) -> dict[str, Tensor]:
    """Return accuracy and hardness with the synthetic negatives, or without while none are mixed.

    ``acc_contrast_synthetic`` is the accuracy with the synthetic negatives among those that push,
    ``share_harder`` the share of them that is harder than the hardest real one, ``sim_hardest`` the
    mean cosine with the hard negatives.

    Args:
        own: (A, P) cosines with the own keys.
        pushing: As in :func:`key_statistics`.
        mixed: Hard negatives and mixtures.
    """
    positive, hardest = own.mean(1), _largest(pushing)
    stats = dict(
        sim_hardest=mean_finite(mixed.hard.masked_similarity()),
        share_harder=positive.new_zeros(()),
        acc_contrast_synthetic=contrastive_accuracy(positive, hardest),
    )
    if mixed.mixtures:
        synthetic = torch.cat([mixture.cosines for mixture in mixed.mixtures], dim=1)  # (A, S)
        both = torch.maximum(hardest, synthetic.amax(1))  # (A,)
        stats['acc_contrast_synthetic'] = contrastive_accuracy(positive, both)
        stats['share_harder'] = (synthetic > hardest[:, None]).float().mean()
    return stats


def batch_statistics(block: Block, counted: Tensor) -> dict[str, Tensor]:
    """Return accuracy and similarities of the candidates of the batch.

    The share of anchors with an attracting candidate nearer than all others, the mean cosine with
    what attracts, and the share of anchors that have such a candidate.

    Args:
        block: Candidates of the batch.
        counted: (A,) bool, anchors with a positive.
    """
    # (A, 1) or (A, M), all candidates but the anchor itself
    others = torch.ones_like(counted)[:, None] if block.itself is None else ~block.itself
    cosine = block.similarity.masked_fill(~others, -2.0)  # (A, M), below any cosine
    positive = block.positive()
    # (A, M)
    pull = torch.zeros_like(cosine).bool() if positive is None else positive & others
    nearest, hardest = without(cosine, ~pull).amax(1), without(cosine, pull).amax(1)
    return dict(
        acc_contrast=contrastive_accuracy(nearest, hardest),
        sim_positive=(cosine * pull).sum() / pull.sum().clamp_min(1),
        share_counted=counted.float().mean(),
    )


def pushing_of(block: Block) -> Tensor:
    """Return (A, M) the similarity of the negatives, -inf for dropped candidates and positives."""
    return without(block.seen().detach(), block.positive())


def _largest(pushing: Sequence[Tensor]) -> Tensor:
    largest = [block.amax(1) for block in pushing]
    return largest[0] if len(largest) == 1 else torch.stack(largest).amax(0)
