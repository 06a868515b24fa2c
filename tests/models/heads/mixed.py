"""What the tests of heads on mixed queries share: a batch, and the loop over its anchors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mochi_mm.structures import HeadStep, MixedInputs
from tests.models.heads.toy import pairs
from tests.reference import contrast_loop, dot, unit


def mixed_pairs(size: int, online: Any = (0,), target: Any = (1,)) -> Any:
    """Queries, keys, and samples of ``size`` mixed images, the last of them with itself."""
    queries, keys, samples = pairs(size)
    partner = torch.tensor([*range(1, size - 1), 0, size - 1] if size > 1 else [0])
    mixed = MixedInputs(partner, torch.linspace(0.5, 0.9, size))
    return (
        {v: queries[v] for v in online},
        {v: keys[v] for v in target},
        mixed.added_to(samples),
    )


def mixed_loop(
    head: Any, bank: Tensor, step: HeadStep, batch: Any, own_weight: Any = None
) -> float:
    """The mean over queries of share times the loss of the image plus the rest of its partner.

    Args:
        head: Masks of labels and indices act for both images.
        bank: Rows of the memory from before the step.
        step: Its synthetic negatives are taken as they are.
        batch: Queries, keys, samples.
        own_weight: Of a key, the weight of the key and those of the rows in the target of SCE; None
            for the key alone.
    """
    queries, keys, samples = batch
    made = [b for b in step.blocks if b.name == 'synthetic']
    losses, anchor = [], 0
    for i in queries:
        for j in (j for j in keys if j != i):
            rows = [unit(row.double()) for row in keys[j]]
            for b, raw in enumerate(queries[i]):
                query, partner = unit(raw.double()), int(samples['mix_partner'][b])
                seen = [k for k in range(len(bank)) if not masked(head, samples, {b, partner}, k)]
                own = list(dict.fromkeys([b, partner]))
                others = [r for r in range(len(rows)) if r not in own and head.batch_keys]
                values = [dot(query, rows[r]) for r in [*own, *others]]
                values += [dot(query, bank[k]) for k in seen]
                values += made[0].similarity[anchor].tolist() if made else []
                share = float(samples['mix_share'][b]) if partner != b else 1.0
                loss = 0.0
                for place, part in zip(range(len(own)), (share, 1 - share), strict=False):
                    weights = [0.0] * len(values)
                    weights[place] = 1.0
                    if own_weight is not None:
                        weights[place], spread = own_weight(rows[own[place]], seen)
                        first = len(own) + len(others)
                        weights[first : first + len(seen)] = spread
                    logits = [v / head.temperature for v in values]
                    loss += part * contrast_loop(logits, weights, [0.0] * len(values))
                losses.append(loss)
                anchor += 1
    return sum(losses) / len(losses)


def masked(head: Any, samples: Any, images: set[int], row: int) -> bool:
    """Whether a row of the memory, as it was before the step, is masked for one of the images."""
    for image in images:
        index, label = int(samples['sample_idx'][image]), int(samples['gt_label'][image])
        if head.mask_own_keys and int(head.memory_indices[row]) == index:
            return True
        if head.oracle_loss and int(head.memory_labels[row]) == label:
            return True
    return False
