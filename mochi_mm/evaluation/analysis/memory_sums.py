"""Statistics of the memory and its hard negatives for one batch of queries, as sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mochi_mm.evaluation.measures import (
    hardest_probabilities,
    mass_of_parents,
    rank_bins,
    same_known_class,
    share_of_false,
    synthetic_false_negatives,
)
from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.functional.statistics import contrastive_accuracy
from mochi_mm.models.heads import BaseContrastiveHead
from mochi_mm.structures import Block, HeadStep, Mixed, Views
from mochi_mm.structures.masks import either, without

Sums = dict[str, Any]


@torch.no_grad()
def memory_sums(head: BaseContrastiveHead, views: Views, num_hard: int) -> Sums:
    """Return sums over the batch; nothing of the head changes.

    The step is the head's own, computed and not committed. In :func:`as_in_training` mixers are
    asked whatever ``start_epoch`` says, and a query's own older key never counts: after an epoch
    the memory is full of keys that a training step would hardly meet together with their images.
    With a class oracle on the loss, same-class rows still count among the hardest, so that its
    curve can be compared with the others.

    Args:
        head: A head with a memory.
        views: Raw embeddings of a query and a key of the same images, with ``gt_label`` and
            ``sample_idx`` (B,).
        num_hard: N, the hardest negatives that are looked at.

    Returns:
        Sums by name, numbers or float64 arrays; see :func:`scalars_of`.
    """
    step = head.compute(views)
    memory = step.block('memory')
    positive = step.block('own').similarity.mean(1)  # (B,)
    pushing = head.pushing(memory)  # (B, K)
    batch = len(positive)
    curve = hardest_probabilities(positive[:, None], pushing, num_hard, head.temperature)
    sums: Sums = dict(
        queries=float(batch),
        sim_positive=float(positive.double().sum()),
        acc_contrast=batch * float(contrastive_accuracy(positive, pushing.amax(1))),
        probabilities=_array(curve.sum(0)),
    )
    labels, rows = views.samples['gt_label'], memory.need('labels')
    hidden = either(memory.same_image, attracting(head, memory))
    index, values = select_hardest(without(memory.similarity, hidden), num_hard)  # (B, N) each
    same, known = same_known_class(labels.to(rows), rows[index])  # (B, N) each
    known = known & torch.isfinite(values)
    parts = {'hardest': slice(None)}
    parts.update({f'rank_{name}': columns for name, columns in rank_bins(num_hard).items()})
    for name, columns in parts.items():
        false, counted = share_of_false(same[:, columns], known[:, columns])
        sums.update({f'false/{name}': false, f'counted/{name}': counted})
    if step.mixed is not None and step.mixed.mixtures:
        sums.update(_false_sources(step.mixed, labels.to(rows), rows))
        sums.update(_synthetic_sums(step, positive, pushing, num_hard, head.temperature))
        skip = 0 if head.mixing is None else head.mixing.skip
        sums.update(_mass_by_rank(step.mixed, pushing, skip, head.temperature))
    return sums


def attracting(head: BaseContrastiveHead, block: Block) -> Tensor | None:
    """Return (B, K) bool, rows that the head's statistics do not count as negatives."""
    seen = block.seen().detach()
    positive = block.positive()
    return None if positive is None else torch.isfinite(seen) & torch.isinf(head.pushing(block))


def _false_sources(mixed: Mixed, labels: Tensor, rows: Tensor) -> Sums:
    """Return the number of synthetic negatives with parents of the query's class."""
    hard = mixed.hard
    same, known = same_known_class(labels, rows[hard.index])  # (B, N) each
    known = known & hard.usable().any(1, keepdim=True)  # (B, N)
    sums: Sums = {}
    for mixture in mixed.mixtures:
        counts, counted = synthetic_false_negatives(mixture.plan, same, known)
        sums.update({f'false/{mixture.name}/{kind}': value for kind, value in counts.items()})
        sums[f'counted/{mixture.name}'] = counted
    return sums


def _synthetic_sums(
    step: HeadStep, positive: Tensor, pushing: Tensor, num_hard: int, temperature: float
) -> Sums:
    """Return accuracy and matching probabilities with the synthetic negatives."""
    synthetic = step.block('synthetic').similarity  # (B, S)
    hardest = pushing.amax(1)  # (B,)
    both = torch.maximum(hardest, synthetic.amax(1))  # (B,)
    curve = hardest_probabilities(positive[:, None], pushing, num_hard, temperature, synthetic)
    batch = len(positive)
    return dict(
        acc_contrast_synthetic=batch * float(contrastive_accuracy(positive, both)),
        share_harder=batch * float((synthetic > hardest[:, None]).double().mean()),
        share_synthetic=float(_synthetic_mass(pushing, synthetic, temperature).sum()),
        probabilities_synthetic=_array(curve.sum(0)),
    )


def _synthetic_mass(pushing: Tensor, synthetic: Tensor, temperature: float) -> Tensor:
    """Return (B,) the share of the negatives' softmax mass on the synthetic ones; 0 without any."""
    real, mixed = ((x.double() / temperature).logsumexp(1) for x in (pushing, synthetic))
    return torch.sigmoid(mixed - real).nan_to_num(0.0)


def _mass_by_rank(mixed: Mixed, pushing: Tensor, skip: int, temperature: float) -> Sums:
    """Return the negatives' softmax mass on synthetic ones, by the rank of their parents."""
    cosines = torch.cat([mixture.cosines for mixture in mixed.mixtures], 1)  # (B, S)
    logits = torch.cat([pushing, cosines], 1).double() / temperature  # (B, K + S)
    mass = logits.softmax(1).nan_to_num(0.0)[:, pushing.shape[1] :]  # (B, S)
    count = mixed.hard.index.shape[1]
    parts = mass.split([mixture.cosines.shape[1] for mixture in mixed.mixtures], 1)
    ranks = mass.new_zeros(skip + count)
    for mixture, part in zip(mixed.mixtures, parts, strict=True):
        ranks[skip:] += mass_of_parents(mixture.plan, part, count)
    bins = rank_bins(len(ranks))
    return {f'share_synthetic_rank_{k}': float(ranks[s].sum()) for k, s in bins.items()}


def add(total: Sums, more: Sums) -> Sums:
    """Return the sums of two parts, name by name."""
    names = {**total, **more}
    return {name: total.get(name, 0.0) + more.get(name, 0.0) for name in names}


def scalars_of(sums: Sums) -> dict[str, float]:
    """Return the means over the queries by name; shares and accuracies in [0, 1].

    A share of false negatives is NaN where no class is known.
    """
    queries = sums['queries']
    means = ('acc_', 'sim_', 'share_')
    scalars = {name: total / queries for name, total in sums.items() if name.startswith(means)}
    for name in ('probabilities', 'probabilities_synthetic'):
        if name in sums:
            curve = sums[name] / queries
            kind = name.removeprefix('probabilities').lstrip('_')
            prefix = f'probability_{kind}' if kind else 'probability'
            scalars[f'{prefix}/hardest'] = float(curve[0])
            scalars[f'{prefix}/all_hard'] = float(curve.sum())
    for name, value in sums.items():
        if name.startswith('false/'):
            source = name.split('/')[1]
            counted = sums[f'counted/{source}']
            scalars[f'false_negatives/{name[6:]}'] = value / counted if counted else float('nan')
    return scalars


def _array(values: Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
