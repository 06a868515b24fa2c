"""What one batch of queries says about the memory and its hard negatives, as sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.evaluation.measures import (
    hardest_probabilities,
    same_known_class,
    share_of_false,
    synthetic_false_negatives,
)
from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.functional.statistics import contrastive_accuracy
from mochi_mm.models.heads.roles import either, without
from mochi_mm.models.heads.synthetic_negatives import usable

Sums = dict[str, Any]


@torch.no_grad()
def memory_sums(
    head: Any,
    query: Tensor,
    key: Tensor,
    samples: Mapping[str, Tensor],
    num_hard: int,
    generator: torch.Generator | None,
) -> Sums:
    """Return sums over the batch; nothing of the head changes.

    The memory is met as in the head's step: its masks, its temperature, its mixers. Mixers are
    asked whatever ``start_epoch`` says. A query's own older key never counts: after an epoch the
    memory is full of keys that a training step would hardly meet together with their images. With
    a class oracle on the loss, same-class rows still count among the hardest, so that its curve
    can be compared with the others.

    Args:
        head: A memory head.
        query: (B, D) raw embeddings.
        key: (B, D) raw embeddings of the other view.
        samples: ``gt_label`` and ``sample_idx`` (B,).
        num_hard: N, the hardest negatives that are looked at.
        generator: Of what the mixers draw.

    Returns:
        Sums by name, numbers or float64 arrays; see :func:`scalars_of`.
    """
    query, key = F.normalize(query.float(), dim=1), F.normalize(key.float(), dim=1)
    bank, labels = head.memory.features, samples['gt_label'].to(head.memory.labels)
    roles = head.roles(key, bank, samples)
    own = head.memory.own_keys(samples['sample_idx'])
    cosine = query @ bank.T
    positive = (query * key).sum(1)
    pushing = without(without(cosine, either(own, roles.dropped)), roles.positives)
    batch = len(query)
    probabilities = hardest_probabilities(positive[:, None], pushing, num_hard, head.temperature)
    sums: Sums = dict(
        queries=float(batch),
        sim_positive=float(positive.double().sum()),
        acc_contrast=batch * float(contrastive_accuracy(positive, pushing.amax(1))),
        probabilities=_array(probabilities.sum(0)),
    )
    rows = without(cosine, either(own, roles.positives))
    index, values = select_hardest(rows, num_hard)
    same, known = same_known_class(labels, head.memory.labels[index])
    false, counted = share_of_false(same, known & torch.isfinite(values))
    sums.update({'false/hardest': false, 'counted/hardest': counted})
    if len(head.mixers):
        minable = without(cosine, either(either(own, roles.unmixed), roles.positives))
        sums.update(
            _synthetic_sums(head, query, positive, pushing, minable, labels, num_hard, generator)
        )
    return sums


def _synthetic_sums(
    head: Any,
    query: Tensor,
    positive: Tensor,
    pushing: Tensor,
    minable: Tensor,
    labels: Tensor,
    num_hard: int,
    generator: torch.Generator | None,
) -> Sums:
    """Return the sums that need synthetic negatives."""
    index, values = select_hardest(minable, head.num_hard)
    hard, any_allowed = usable(head.memory.features, index, values)
    same, known = same_known_class(labels, head.memory.labels[index])
    known = known & any_allowed[:, None]
    sums: Sums = {}
    blocks = []
    for name, mixer in named_mixers(head):
        plan = mixer.plan(hard, generator)
        blocks.append(mixer.logits(query, hard, plan))
        counts, counted = synthetic_false_negatives(plan, same, known)
        sums.update({f'false/{name}/{kind}': value for kind, value in counts.items()})
        sums[f'counted/{name}'] = counted
    synthetic = torch.cat(blocks, dim=1).masked_fill(~any_allowed[:, None], float('-inf'))
    hardest = pushing.amax(1)
    both = torch.maximum(hardest, synthetic.amax(1))
    curve = hardest_probabilities(positive[:, None], pushing, num_hard, head.temperature, synthetic)
    sums['acc_contrast_synthetic'] = len(query) * float(contrastive_accuracy(positive, both))
    sums['share_harder'] = len(query) * float((synthetic > hardest[:, None]).double().mean())
    sums['probabilities_synthetic'] = _array(curve.sum(0))
    return sums


def named_mixers(head: Any) -> list[tuple[str, Any]]:
    """Return the mixers of a head by type, numbered from the second of a type on."""
    named: list[tuple[str, Any]] = []
    for mixer in head.mixers:
        kind = type(mixer).__name__
        before = sum(type(other).__name__ == kind for _, other in named)
        named.append((f'{kind}_{before + 1}' if before else kind, mixer))
    return named


def add(total: Sums, more: Sums) -> Sums:
    """Return the sums of two parts, name by name."""
    names = {**total, **more}
    return {name: total.get(name, 0.0) + more.get(name, 0.0) for name in names}


def scalars_of(sums: Sums) -> dict[str, float]:
    """Return the means over the queries by name; shares and accuracies in [0, 1].

    A share of false negatives is NaN where no class is known.
    """
    queries = sums['queries']
    names = ('acc_contrast', 'acc_contrast_synthetic', 'sim_positive', 'share_harder')
    scalars = {name: sums[name] / queries for name in names if name in sums}
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
