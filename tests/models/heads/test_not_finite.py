"""An embedding that is not finite is never taken for a candidate that is not there."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.heads import (
    ContrastiveHead,
    CrossViewHead,
    DecoupledHead,
    FairKLHead,
    FalseNegativeFinder,
    FalseNegativeHead,
    FalseNegativeMemoryHead,
    LabelledMemoryHead,
    NTXentHead,
    SoftContrastiveHead,
    SupConHead,
    SupInfoNCEHead,
)
from mochi_mm.models.memories import FeatureQueue, InstanceBank
from tests.reference import random_units

DIM = 5
SAMPLES = dict(
    gt_label=torch.tensor([0, 0, 1, 1]),
    bias_label=torch.tensor([0, 1, 0, 1]),
    sample_idx=torch.arange(4),
)


def banks() -> list[InstanceBank]:
    return [InstanceBank(6, DIM, init_seed=view) for view in range(2)]


def queue() -> FeatureQueue:
    memory = FeatureQueue(8, DIM)
    memory.enqueue(random_units(6, DIM, 9).float(), torch.arange(6) % 2, torch.arange(6))
    return memory


def finder(support: str = 'full') -> FalseNegativeFinder:
    return FalseNegativeFinder(1, support, top_k=2, threshold=None)


IN_BATCH: dict[str, Any] = {
    'NT-Xent': lambda: NTXentHead(),
    'SupCon': lambda: SupConHead(),
    'SupCon, in': lambda: SupConHead('in'),
    'SupCon, negatives': lambda: SupConHead(denominator='negatives'),
    'SupCon, one positive': lambda: SupConHead(denominator='one_positive'),
    'DCL': lambda: DecoupledHead(),
    'DCLW': lambda: DecoupledHead(sigma=0.5),
    'eps-SupInfoNCE': lambda: SupInfoNCEHead(),
    'eps-SupInfoNCE, in': lambda: SupInfoNCEHead(form='in'),
    'eps-SupInfoNCE, SupCon': lambda: SupInfoNCEHead(form='sup_con'),
    'FNC': lambda: FalseNegativeHead(finder()),
    'FNC, eliminate': lambda: FalseNegativeHead(finder(), 'eliminate'),
    'FairKL': lambda: FairKLHead(),
    'FairKL, moments': lambda: FairKLHead(form='moments'),
    'CMC': lambda: CrossViewHead(banks(), 3),
    'CMC, softmax': lambda: CrossViewHead(banks(), 3, 'softmax'),
}
MEMORY: dict[str, Any] = {
    'MoCo': lambda: ContrastiveHead(queue()),
    'SCE': lambda: SoftContrastiveHead(queue()),
    'SCE, zero slot': lambda: SoftContrastiveHead(queue(), own_slot='zero'),
    'labels': lambda: LabelledMemoryHead(queue()),
    'FNC': lambda: FalseNegativeMemoryHead(queue(), finder()),
    'FNC, eliminate': lambda: FalseNegativeMemoryHead(queue(), finder(), 'eliminate'),
}
NOT_FINITE = [math.nan, math.inf]


def total(losses: dict[str, torch.Tensor]) -> float:
    return sum(float(value.detach()) for name, value in losses.items() if 'loss' in name)


@pytest.mark.parametrize('wrong', NOT_FINITE)
@pytest.mark.parametrize('name', IN_BATCH)
def test_in_batch_heads(name: str, wrong: float) -> None:
    views = 3 if 'FNC' in name else 2
    features = random_units(4 * views, DIM, 1).float().unflatten(0, (4, views))
    assert math.isfinite(total(IN_BATCH[name]().loss(features, SAMPLES)))
    features[1, 0, 2] = wrong
    assert math.isnan(total(IN_BATCH[name]().loss(features, SAMPLES)))


@pytest.mark.parametrize('wrong', NOT_FINITE)
@pytest.mark.parametrize('side', ['query', 'key'])
@pytest.mark.parametrize('name', MEMORY)
def test_memory_heads(name: str, side: str, wrong: float) -> None:
    queries = {0: random_units(4, DIM, 1).float()}
    keys = {view: random_units(4, DIM, 2 + view).float() for view in range(1, 3)}
    if 'FNC' in name:
        keys[0] = random_units(4, DIM, 2).float()
    assert math.isfinite(total(MEMORY[name]().loss_views(queries, keys, SAMPLES)))
    (queries if side == 'query' else keys)[0 if side == 'query' else 1][1, 2] = wrong
    assert math.isnan(total(MEMORY[name]().loss_views(queries, keys, SAMPLES)))


@pytest.mark.parametrize('wrong', NOT_FINITE)
def test_a_bad_first_batch_leaves_no_normaliser(wrong: float) -> None:
    """The batch after it gives what it would have given without it."""
    good = random_units(8, DIM, 1).float().unflatten(0, (4, 2))
    bad = good.clone()
    bad[1] = wrong
    head, fresh = CrossViewHead(banks(), 3), CrossViewHead(banks(), 3)
    head.loss(bad, SAMPLES)
    assert not head.log_z_known.any() and (head.log_z == 0).all()
    head.memories.load_state_dict(fresh.memories.state_dict())
    torch.manual_seed(0)  # of the draws
    after = total(head.loss(good, SAMPLES))
    torch.manual_seed(0)
    assert after == total(fresh.loss(good, SAMPLES))
    assert head.log_z_known.any()
