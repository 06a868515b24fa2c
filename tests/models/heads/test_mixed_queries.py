"""Mixed queries with the heads of a memory: worked values, loops, synthetic negatives, masks."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import (
    ContrastiveHead,
    HardNegativeMixingHead,
    KeyBatchHead,
    NPairHead,
    SoftContrastiveHead,
)
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.randomness import StepKey
from mochi_mm.structures import MixedInputs, Views
from tests.models.heads.mixed import mixed_loop, mixed_pairs
from tests.models.heads.toy import FixedPair, FixedQuery, memory, pairs
from tests.ranks import run_ranks
from tests.reference import dot

QUERY = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
KEY = torch.tensor([[0.96, 0.28], [0.28, 0.96], [0.8, 0.6]])
MIXED = MixedInputs(torch.tensor([1, 2, 0]), torch.tensor([0.7, 0.9, 0.6])).added_to({})
SYNCO = [
    dict(type=name, num=3)
    for name in (
        'QueryMixing',
        'Extrapolation',
        'PairMixing',
        'NoiseInjection',
        'GradientStep',
        'SignStep',
    )
]
HEADS: dict[str, Any] = {
    'moco': lambda: ContrastiveHead(memory()),
    'moco, keys of the batch': lambda: ContrastiveHead(memory(), 0.3, batch_keys=True),
    'moco, own keys masked': lambda: ContrastiveHead(memory(), mask_own_keys=True),
    'moco, oracle, keys of the batch': lambda: ContrastiveHead(
        memory(), oracle_loss=True, batch_keys=True
    ),
    'mochi': lambda: HardNegativeMixingHead(memory(), 4, [FixedPair(9), FixedQuery(3)]),
    'mochi, own keys masked': lambda: HardNegativeMixingHead(
        memory(), 3, [FixedPair(9)], mask_own_keys=True
    ),
    'mochi, keys of the batch': lambda: HardNegativeMixingHead(
        memory(), 4, [FixedPair(9), FixedQuery(3)], batch_keys=True
    ),
    'synco': lambda: HardNegativeMixingHead(memory(), 4, SYNCO),
}
VIEWS = [((0,), (1,)), ((0, 1), (2,)), ((0,), (1, 2))]


def step_of(head: Any, batch: Any) -> tuple[Any, Tensor]:
    """The step, and the memory from before it."""
    head.memory_indices = head.memory.indices.clone()
    head.memory_labels = head.memory.labels.clone()
    return head.compute(Views(*batch)), head.memory.features.double()


def test_worked_values() -> None:
    """Of i-Mix: against the keys of the batch, and a queue of two as well."""
    queue = FeatureQueue(2, 2)
    queue.features.copy_(torch.tensor([[-1.0, 0.0], [-0.6, 0.8]]))
    head = ContrastiveHead(queue, 0.2, batch_keys=True)
    loss = head.loss(2 * QUERY, 3 * KEY, MIXED)['loss_contrast']
    assert float(loss) == pytest.approx(1.093876, abs=1e-6)
    loss = KeyBatchHead(0.2).loss(QUERY, KEY, MIXED)['loss_contrast']
    assert float(loss) == pytest.approx(0.4 * 0.981209, abs=1e-6)


@pytest.mark.parametrize('views', VIEWS, ids=str)
@pytest.mark.parametrize('size', [2, 7])
@pytest.mark.parametrize('name', HEADS)
def test_loss_equals_the_loop(name: str, size: int, views: Any) -> None:
    head, batch = HEADS[name](), mixed_pairs(size, *views)
    step, bank = step_of(head, batch)
    expected = mixed_loop(head, bank, step, batch)
    assert float(step.losses['loss_contrast']) == pytest.approx(expected, abs=3e-6)
    assert ('synthetic' in [b.name for b in step.blocks]) is ('mochi' in name or name == 'synco')


@pytest.mark.parametrize('size', [2, 7])
@pytest.mark.parametrize('slot', ['masked', 'zero'])
def test_sce_has_a_target_for_each_key(slot: str, size: int) -> None:
    head = SoftContrastiveHead(memory(), 0.5, 0.4, slot, mask_own_keys=slot == 'masked')
    batch = mixed_pairs(size)
    step, bank = step_of(head, batch)
    samples = batch[2]

    def own_weight(key: Tensor, seen: list[int]) -> tuple[float, list[float]]:
        parts = {k: math.exp(dot(key, bank[k]) / head.key_temperature) for k in seen}
        total = sum(parts.values()) + (slot == 'zero')
        spread = [(1 - head.own_weight) * parts[k] / total for k in seen]
        return 1 - sum(spread), spread

    head.batch_keys = False
    expected = mixed_loop(head, bank, step, (batch[0], batch[1], samples), own_weight)
    assert float(step.losses['loss_contrast']) == pytest.approx(expected, abs=3e-6)


@pytest.mark.parametrize('name', [*HEADS, 'sce'])
def test_an_image_mixed_with_itself_is_a_query_of_one_image(name: str) -> None:
    """It has one target, and its key counts once."""
    make = HEADS.get(name) or (lambda: SoftContrastiveHead(memory()))
    queries, keys, samples = pairs(5)
    batch = {0: queries[0]}, {1: keys[1]}
    alone = MixedInputs(torch.arange(5), torch.linspace(0.5, 1, 5)).added_to(samples)
    results = []
    for given in (samples, alone):
        head = make()
        head.set_step(StepKey(0, 0))
        results.append(head.loss_views(*batch, given))
    plain, found = results
    assert plain.keys() == found.keys()
    for key, value in plain.items():
        torch.testing.assert_close(found[key], value, msg=key)


def test_masks_act_for_both_images() -> None:
    head = ContrastiveHead(memory(), mask_own_keys=True, oracle_mix=True)
    queries, keys, samples = mixed_pairs(5)
    block = head.compute(Views(queries, keys, samples)).block('memory')
    assert block.dropped is not None and isinstance(block.mixable, Tensor)
    for a in range(5):
        images = {a, int(samples['mix_partner'][a])}
        for k in range(11):
            own = int(head.memory.indices[k]) in images
            labels = {int(samples['gt_label'][i]) for i in images}
            same = int(head.memory.labels[k]) in labels
            assert bool(block.dropped[a, k]) is own
            assert bool(block.mixable[a, k]) is not (own or same)


@pytest.mark.parametrize('head', ['moco', 'moco-v3', 'n-pair'])
def test_statistics_are_those_of_the_own_image(head: str) -> None:
    """The key of the partner is neither a hit nor a miss."""
    queries, keys, samples = mixed_pairs(6)
    keys = {1: keys[1] + 0.5 * queries[0]}
    if head == 'moco':
        result = ContrastiveHead(memory()).loss_views(queries, keys, samples)
    elif head == 'moco-v3':
        result = KeyBatchHead().loss_views(queries, keys, samples)
    else:
        result = NPairHead().loss_views({0: queries[0], 1: keys[1]}, None, samples)
    cosines = torch.cosine_similarity(queries[0][:, None], keys[1], dim=-1).double()
    own = cosines.diagonal()
    assert float(result['sim_positive']) == pytest.approx(float(own.mean()), abs=1e-6)
    if head != 'moco':
        hits = 0
        for a in range(6):
            others = [j for j in range(6) if j not in (a, int(samples['mix_partner'][a]))]
            hits += all(own[a] > cosines[a, j] for j in others)
        assert hits > 0 and float(result['acc_contrast']) == pytest.approx(hits / 6)


def test_keys_of_the_batch_push_without_a_mixture_too() -> None:
    head = ContrastiveHead(memory(), batch_keys=True)
    queries, keys, samples = pairs(4)
    step = head.compute(Views({0: queries[0]}, {1: keys[1]}, samples))
    block = step.block('batch_keys')
    assert block.pull is None and block.dropped is not None
    assert torch.equal(block.dropped, torch.eye(4).bool())
    assert float(step.statistics['chance_level']) == pytest.approx(math.log(1 + 3 + 11), abs=1e-6)


def test_the_target_of_sce_does_not_know_the_keys_of_the_batch() -> None:
    with pytest.raises(ValueError, match='batch_keys=True, but the target of SoftContrastiveHead'):
        SoftContrastiveHead(memory(), batch_keys=True)


RANKS = {'moco': HEADS['moco, keys of the batch'], 'mochi': HEADS['mochi, keys of the batch']}


def batch_of_ranks() -> Any:
    """Five images of which the first three are mixed among themselves, and the last two."""
    queries, keys, samples = pairs(5)
    mixed = MixedInputs(torch.tensor([1, 2, 0, 4, 3]), torch.tensor([0.7, 0.9, 0.6, 0.8, 0.5]))
    return queries[0], keys[1], mixed.added_to(samples)


def gradient(head: Any, query: Tensor, key: Tensor, samples: Any) -> tuple[Tensor, Tensor]:
    query = query.clone().requires_grad_()
    loss = head.loss(query, key, samples)['loss_contrast']
    loss.backward()
    assert query.grad is not None
    return loss.detach(), query.grad


def on_a_rank(rank: int, name: str, state: Any) -> dict[str, Tensor]:
    head = RANKS[name]()
    head.memory.load_state_dict(state)
    query, key, samples = batch_of_ranks()
    part = slice(0, 3) if rank == 0 else slice(3, 5)
    samples = {k: v[part] for k, v in samples.items()}
    samples['mix_partner'] = samples['mix_partner'] - part.start
    loss, grad = gradient(head, query[part], key[part], samples)
    return dict(loss=loss, grad=grad, features=head.memory.features.clone())


@pytest.mark.parametrize('name', RANKS)
def test_two_ranks_equal_one_process(name: str) -> None:
    """Without the offset of its images, the second rank would be drawn to keys of the first."""
    head = RANKS[name]()
    results = run_ranks(on_a_rank, 2, name, dict(head.memory.state_dict()))
    loss, grad = gradient(head, *batch_of_ranks())
    torch.testing.assert_close((results[0]['loss'] + results[1]['loss']) / 2, loss)
    joined = torch.cat([r['grad'] for r in results]) / 2
    torch.testing.assert_close(joined, grad, rtol=1e-5, atol=1e-6)
    for result in results:
        torch.testing.assert_close(result['features'], head.memory.features)
