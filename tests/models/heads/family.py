"""Every contrastive head in its settings, for what the frame promises of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from mochi_mm.models.heads import (
    BaseContrastiveHead,
    ContrastiveHead,
    DecoupledHead,
    ESupConHead,
    FalseNegativeHead,
    HardNegativeMixingHead,
    KeyBatchHead,
    NTXentHead,
    PseudoLabelHead,
    ResComHead,
    SkewRenyiHead,
    SoftContrastiveHead,
    SupConHead,
    SupInfoNCEHead,
    SupMixHead,
    UniConHead,
)
from mochi_mm.models.memories import ClassBalancedQueue, PseudoLabels
from tests.models.heads.toy import DIM, FixedPair, FixedQuery, T, finder, inputs, memory, mixing
from tests.reference import random_units

Make = Callable[..., BaseContrastiveHead]
NEAREST = dict(rule='quantile', share=0.3)
DEBIASED, HARD = dict(beta=0.0, tau_plus=0.1), dict(beta=1.0, tau_plus=0.1)
MIXERS = [FixedPair(9), FixedQuery(3)]


def class_queue() -> ClassBalancedQueue:
    """Three rings, of which the last is not full; not enqueued, which all ranks would do."""
    queue = ClassBalancedQueue(3, 3, DIM)
    queue.features[:8] = random_units(8, DIM, 41).float()
    queue.labels[:8], queue.indices[:8] = torch.arange(8) // 3, torch.arange(8)
    queue.count.copy_(torch.tensor([3, 3, 2]))
    queue.pointer.copy_(torch.tensor([0, 1, 2]))
    return queue


BOUND = dict(length=11, alpha=0.2, lr=0.3)


def threshold_of(head: Any) -> Any:
    """The head, whose thresholds have moved before."""
    head.threshold.table.threshold.copy_(torch.linspace(-0.2, 0.6, 11))
    head.threshold.table.first_moment.copy_(torch.linspace(-0.1, 0.1, 11))
    head.threshold.table.second_moment.copy_(torch.linspace(0.0, 0.1, 11))
    return head


def pseudo() -> PseudoLabels:
    """Labels of eleven images, of which three have none that is accepted."""
    labels = PseudoLabels(11, [3])
    labels.accepted()[0].copy_(torch.tensor([0, 1, 1, 2, 0, -1, 2, 1, -1, 0, -1]))
    return labels


WITH_MEMORY: dict[str, Make] = {
    'moco': lambda **k: ContrastiveHead(memory(), T, **k),
    'moco, own keys masked': lambda **k: ContrastiveHead(memory(), T, mask_own_keys=True, **k),
    'moco, oracle': lambda **k: ContrastiveHead(memory(), T, oracle_loss=True, **k),
    'sce': lambda **k: SoftContrastiveHead(memory(), 0.07, 0.4, temperature=T, **k),
    'sce, zero slot': lambda **k: SoftContrastiveHead(memory(), 1.0, 0.0, 'zero', **k),
    'sce, own keys masked': lambda **k: SoftContrastiveHead(memory(), mask_own_keys=True, **k),
    'labels': lambda **k: SupConHead(memory=memory(), **k),
    'labels, in': lambda **k: SupConHead('in', memory=memory(), base_temperature=0.07, **k),
    'labels, negatives': lambda **k: SupConHead('out', 'negatives', memory=memory(), **k),
    'labels, in, negatives': lambda **k: SupConHead('in', 'negatives', memory=memory(), **k),
    'labels, one positive': lambda **k: SupConHead('out', 'one_positive', memory=memory(), **k),
    'labels, own masked': lambda **k: SupConHead(memory=memory(), mask_own_keys=True, **k),
    'fnc attract': lambda **k: FalseNegativeHead(finder(), memory=memory(), **k),
    'fnc attract, scoring': lambda **k: FalseNegativeHead(finder('score'), memory=memory(), **k),
    'fnc eliminate': lambda **k: FalseNegativeHead(
        finder(aggregate='mean'), 'eliminate', memory=memory(), **k
    ),
    'fnc none': lambda **k: FalseNegativeHead(finder(), 'none', memory=memory(), **k),
    'fnc attract, own masked': lambda **k: FalseNegativeHead(
        finder(threshold=None), memory=memory(), mask_own_keys=True, **k
    ),
    'fnc eliminate, own masked': lambda **k: FalseNegativeHead(
        finder(threshold=None), 'eliminate', memory=memory(), mask_own_keys=True, **k
    ),
    'debiased moco': lambda **k: ContrastiveHead(memory(), 0.5, negatives=DEBIASED, **k),
    'hcl moco, own keys masked': lambda **k: ContrastiveHead(
        memory(), 0.5, negatives=HARD, mask_own_keys=True, **k
    ),
    'hcl labels': lambda **k: SupConHead(memory=memory(), negatives=HARD, **k),
    'renyi moco': lambda **k: SkewRenyiHead(memory=memory(), **k),
    'renyi moco, oracle': lambda **k: SkewRenyiHead(
        1.5, 0.25, memory=memory(), oracle_loss=True, **k
    ),
    'moco, alike removed': lambda **k: ContrastiveHead(
        memory(), T, removal=dict(rule='threshold', threshold=0.1, max_share=0.4), **k
    ),
    'ifnd attract': lambda **k: PseudoLabelHead(pseudo(), 'attract', memory=memory(), **k),
    'ifnd eliminate, own masked': lambda **k: PseudoLabelHead(
        pseudo(), memory=memory(), mask_own_keys=True, **k
    ),
    'glofnd moco': lambda **k: threshold_of(ContrastiveHead(memory(), T, threshold=BOUND, **k)),
    'glofnd moco, unscaled, own masked': lambda **k: threshold_of(
        ContrastiveHead(memory(), T, threshold=dict(BOUND, rescale=False), mask_own_keys=True, **k)
    ),
    'glofnd ifnd': lambda **k: threshold_of(
        PseudoLabelHead(pseudo(), memory=memory(), threshold=BOUND, **k)
    ),
    'fnc attract, oracle': lambda **k: FalseNegativeHead(
        finder(threshold=None), memory=memory(), oracle_loss=True, **k
    ),
}
IN_BATCH: dict[str, Make] = {
    'simclr': lambda **k: NTXentHead(0.3, **k),
    'supcon': lambda **k: SupConHead(base_temperature=0.07, **k),
    'supcon, in': lambda **k: SupConHead('in', **k),
    'supcon, negatives': lambda **k: SupConHead(denominator='negatives', **k),
    'supcon, in, negatives': lambda **k: SupConHead('in', 'negatives', **k),
    'supcon, one positive': lambda **k: SupConHead(denominator='one_positive', **k),
    'supcon, single views': lambda **k: SupConHead(**k),
    'supcon, single views, negatives': lambda **k: SupConHead('out', 'negatives', **k),
    'supcon, single views, all counted': lambda **k: SupConHead(count_all=True, **k),
    'dcl': lambda **k: DecoupledHead(0.3, **k),
    'dclw': lambda **k: DecoupledHead(0.3, 0.5, **k),
    'dclw, with gradient': lambda **k: DecoupledHead(0.3, 0.5, detach_weight=False, **k),
    'eps-SupInfoNCE': lambda **k: SupInfoNCEHead(0.2, **k),
    'eps-SupInfoNCE, in': lambda **k: SupInfoNCEHead(0.2, form='in', **k),
    'eps-SupInfoNCE, supcon': lambda **k: SupInfoNCEHead(0.2, form='sup_con', **k),
    'eps-SupInfoNCE, cosine': lambda **k: SupInfoNCEHead(0.1, 'cosine', temperature=0.3, **k),
    'eps-SupInfoNCE, floor': lambda **k: SupInfoNCEHead(0.2, floor=0.1, temperature=0.3, **k),
    'eps-SupInfoNCE, in, floor': lambda **k: SupInfoNCEHead(0.2, form='in', floor=0.1, **k),
    'eps-SupInfoNCE, single views, in': lambda **k: SupInfoNCEHead(0.2, form='in', **k),
    'eps-SupInfoNCE, single views, all counted': lambda **k: SupInfoNCEHead(
        0.2, form='sup_con', count_all=True, **k
    ),
    'in-batch fnc attract': lambda **k: FalseNegativeHead(finder(), **k),
    'in-batch fnc eliminate': lambda **k: FalseNegativeHead(
        finder(threshold=None), 'eliminate', **k
    ),
    'in-batch fnc attract, scoring': lambda **k: FalseNegativeHead(finder('score'), **k),
    'in-batch ifnd attract': lambda **k: PseudoLabelHead(pseudo(), 'attract', **k),
    'in-batch ifnd eliminate': lambda **k: PseudoLabelHead(pseudo(), **k),
    'glofnd': lambda **k: threshold_of(NTXentHead(0.3, threshold=BOUND, **k)),
    'glofnd dcl': lambda **k: threshold_of(DecoupledHead(0.3, threshold=BOUND, **k)),
    'glofnd moco-v3': lambda **k: threshold_of(KeyBatchHead(T, threshold=BOUND, **k)),
    'rescom': lambda **k: ResComHead(class_queue(), 2, 3, effective_beta=0, **k),
    'rescom, own masked': lambda **k: ResComHead(
        class_queue(), 1, 4, effective_beta=0, mask_own_keys=True, **k
    ),
    'esupcon': lambda **k: ESupConHead(4, DIM, T, **k),
    'esupcon, single views': lambda **k: ESupConHead(4, DIM, T, 2.0, True, **k),
    'moco-v3': lambda **k: KeyBatchHead(T, **k),
    'unicon': lambda **k: UniConHead(temperature=0.3, **k),
    'unicon, real': lambda **k: UniConHead('real+universum', 0.3, **k),
    'hcl unicon': lambda **k: UniConHead(temperature=0.5, negatives=HARD, **k),
    'supmix': lambda **k: SupMixHead(0.3, **k),
    'debiased': lambda **k: NTXentHead(0.5, negatives=DEBIASED, **k),
    'hcl': lambda **k: NTXentHead(0.5, negatives=HARD, **k),
    'hcl supcon, one positive': lambda **k: SupConHead(
        denominator='one_positive', negatives=HARD, **k
    ),
    'hcl dcl': lambda **k: DecoupledHead(0.5, negatives=HARD, **k),
    'hcl eps-SupInfoNCE, in': lambda **k: SupInfoNCEHead(0.2, form='in', negatives=HARD, **k),
    'hcl moco-v3': lambda **k: KeyBatchHead(0.5, negatives=HARD, **k),
    'renyi': lambda **k: SkewRenyiHead(**k),
    'simclr, oracle removed': lambda **k: NTXentHead(
        0.3, removal=dict(rule='oracle', watch=True), **k
    ),
    'moco-v3, oracle removed': lambda **k: KeyBatchHead(0.5, removal=dict(rule='oracle'), **k),
    'dcl, nearest removed': lambda **k: DecoupledHead(0.5, removal=NEAREST, **k),
    'supcon, nearest removed': lambda **k: SupConHead(removal=NEAREST, **k),
    'renyi, views': lambda **k: SkewRenyiHead(1.0, 0.25, candidates='views', **k),
}
FAMILY: dict[str, Make] = {
    **WITH_MEMORY,
    **IN_BATCH,
    'mochi': lambda **k: HardNegativeMixingHead(memory(), 4, MIXERS, **k),
    'mochi, oracle': lambda **k: HardNegativeMixingHead(
        memory(), 3, MIXERS, skip=1, oracle_mix=True, **k
    ),
}
#: The same with synthetic negatives.
MIXED: dict[str, Make] = {
    f'{name}, mixing': lambda make=make, **k: make(mixing=mixing(), **k)
    for name, make in {**WITH_MEMORY, **IN_BATCH}.items()
}
EVERY = {**FAMILY, **MIXED}


def batch_of(name: str, head: Any, size: int, seed: int = 0) -> Any:
    """A batch as the head of this name takes it."""
    views = 1 if 'single views' in name else 4 if 'unicon' in name else 2
    return inputs(head, size, seed, views)


def copied(batch: Any, requires_grad: bool = False) -> Any:
    """The batch with embeddings of its own."""
    online, target, samples = batch
    return (
        {view: rows.clone().requires_grad_(requires_grad) for view, rows in online.items()},
        {view: rows.clone() for view, rows in target.items()},
        samples,
    )


def of_rank(batch: Any, splits: list[int], rank: int) -> Any:
    """The part of the batch that a rank has."""
    return tuple({name: rows.split(splits)[rank] for name, rows in part.items()} for part in batch)


def run(head: Any, batches: list[Any]) -> dict[str, Any]:
    """Loss and gradient of each step, and the state that is left."""
    losses, grads = [], []
    for batch in batches:
        online, target, samples = copied(batch, requires_grad=True)
        loss = head.loss_views(online, target, samples)['loss_contrast']
        loss.backward()
        losses.append(loss.detach())
        # A view that only scores has none.
        grads.append(
            {
                view: torch.zeros_like(rows) if rows.grad is None else rows.grad
                for view, rows in online.items()
            }
        )
    state = {name: value.clone() for name, value in head.state_dict().items()}
    return dict(losses=losses, grads=grads, state=state)


def total(losses: dict[str, torch.Tensor]) -> float:
    return sum(float(loss.detach()) for name, loss in losses.items() if 'loss' in name)
