"""MoCHi against loops over queries; without mixing it is MoCo, bit for bit."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.heads import ContrastiveHead, HardNegativeMixingHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing, QueryMixing
from mochi_mm.randomness import StepKey
from mochi_mm.structures import HardNegatives
from tests.models.heads.toy import (
    DIM,
    LENGTH,
    FixedPair,
    FixedQuery,
    T,
    memory,
    pairs,
    pairs_loop,
)
from tests.reference import random_units

HEADS: dict[str, Any] = {
    'both': lambda: HardNegativeMixingHead(memory(), 4, [FixedPair(9), FixedQuery(3)]),
    'pairs only': lambda: HardNegativeMixingHead(memory(), 5, [FixedPair(2)], temperature=0.5),
    'queries only': lambda: HardNegativeMixingHead(memory(), 1, [FixedQuery(4)]),
    'the hardest skipped': lambda: HardNegativeMixingHead(memory(), 4, [FixedPair(9)], skip=3),
    'oracle in the mixing': lambda: HardNegativeMixingHead(
        memory(), 3, [FixedPair(4), FixedQuery(4)], oracle_mix=True
    ),
    'oracle in both, own masked': lambda: HardNegativeMixingHead(
        memory(), 3, [FixedPair(4)], oracle_mix=True, oracle_loss=True, mask_own_keys=True
    ),
}


@pytest.mark.parametrize('size', [1, 7])
@pytest.mark.parametrize('name', HEADS)
def test_loss_equals_the_loop(name: str, size: int) -> None:
    head = HEADS[name]()
    queries, keys, samples = pairs(size)
    queries, keys = {0: queries[0]}, {1: keys[1]}
    expected = pairs_loop(head, queries, keys, samples)
    loss = head.loss(queries[0], keys[1], samples)['loss_contrast']
    assert float(loss) == pytest.approx(expected, abs=2e-6)


def test_gradient_with_mixing_is_that_of_the_references() -> None:
    """The fast cosines give the gradient of softmax over memory and constant synthetic vectors."""
    mixers = [FixedPair(9), FixedQuery(3)]
    head = HardNegativeMixingHead(memory(), 4, mixers)
    queries, keys, samples = pairs(5)
    query, key = queries[0].requires_grad_(), keys[1]
    bank = head.memory.snapshot().double()
    head.loss(query, key, samples)['loss_contrast'].backward()

    plain = query.detach().double().requires_grad_()
    q = plain / plain.norm(dim=1, keepdim=True)
    k = key.double() / key.double().norm(dim=1, keepdim=True)
    similarity, index = (q @ bank.T).detach().topk(4, dim=1)
    hard = HardNegatives(bank, index, similarity)
    vectors = [m.features(q, hard, m.plan(hard)) for m in mixers]
    logits = [(q * k).sum(1, keepdim=True), q @ bank.T]
    logits += [torch.einsum('bd,bsd->bs', q, v) for v in vectors]
    torch.nn.functional.cross_entropy(
        torch.cat(logits, 1) / T, torch.zeros(5, dtype=torch.long)
    ).backward()
    assert plain.grad is not None
    torch.testing.assert_close(query.grad, plain.grad.float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    'make',
    [
        lambda: HardNegativeMixingHead(memory(), LENGTH, []),
        lambda: HardNegativeMixingHead(
            memory(), LENGTH, [PairMixing(5), QueryMixing(2)], start_epoch=2
        ),
    ],
)
def test_without_mixing_it_is_moco_bit_for_bit(make: Any) -> None:
    mixing, plain = make(), ContrastiveHead(memory(), T)
    for step in range(3):
        results = []
        for one in (mixing, plain):
            queries, keys, samples = pairs(4, seed=10 * step)
            query = queries[0].requires_grad_()
            losses = one.loss(query, keys[1], samples)
            losses['loss_contrast'].backward()
            results.append((losses, query.grad))
        assert results[0][0].keys() == results[1][0].keys()
        for name, value in results[0][0].items():
            assert torch.equal(value, results[1][0][name]), name
        assert torch.equal(results[0][1], results[1][1])
    for name, value in mixing.memory.state_dict().items():
        assert torch.equal(value, plain.memory.state_dict()[name]), name


def test_mixing_starts_at_start_epoch() -> None:
    head = HardNegativeMixingHead(memory(), 4, [FixedPair(3)], start_epoch=2)
    losses = []
    for epoch in range(4):
        head.mixing.set_epoch(epoch, 10)
        queries, keys, samples = pairs(4)
        head.memory.load_state_dict(memory().state_dict())
        losses.append(float(head.loss(queries[0], keys[1], samples)['loss_contrast']))
    assert losses[0] == losses[1] < losses[2] == losses[3]


def test_statistics() -> None:
    head = HardNegativeMixingHead(memory(), 4, [FixedPair(6), FixedQuery(5)])
    queries, keys, samples = pairs(7)
    query = queries[0]
    key = keys[1] + 0.5 * torch.nn.functional.normalize(query, dim=1)  # some positives win
    bank = head.memory.snapshot()
    stats = head.loss(query, key, samples)
    q = torch.nn.functional.normalize(query.double(), dim=1)
    k = torch.nn.functional.normalize(key.double(), dim=1)
    real, positive = q @ bank.double().T, (q * k).sum(1)
    similarity, index = real.topk(4, dim=1)
    hard = HardNegatives(bank.double(), index, similarity)
    made = torch.cat(
        [(q[:, None] * m.features(q, hard, m.plan(hard))).sum(-1) for m in head.mixing.mixers], 1
    )
    hardest = real.amax(1)
    expected = dict(
        acc_contrast=sum(float(positive[b] > hardest[b]) for b in range(7)) / 7,
        acc_contrast_synthetic=sum(
            float(positive[b] > max(hardest[b], made[b].max())) for b in range(7)
        )
        / 7,
        sim_positive=float(positive.mean()),
        sim_hardest=float(similarity.mean()),
        share_harder=sum(float(made[b, s] > hardest[b]) for b in range(7) for s in range(11)) / 77,
        queue_fill=8 / LENGTH,
        chance_level=math.log(1 + LENGTH + 11),
    )
    assert set(stats) == {*expected, 'loss_contrast'}
    for name, value in expected.items():
        assert float(stats[name]) == pytest.approx(value, abs=1e-6), name
        assert not stats[name].requires_grad
    assert 0 < expected['acc_contrast_synthetic'] < expected['acc_contrast'] < 1
    assert 0 < expected['share_harder'] < 1


def test_plans_are_keyed_by_the_step() -> None:
    head = HardNegativeMixingHead(memory(), 6, [PairMixing(8), QueryMixing(8)])

    def value(key: StepKey, ambient: int) -> float:
        torch.manual_seed(ambient)
        head.memory.load_state_dict(memory().state_dict())
        head.mixing.set_step(key)
        queries, keys, samples = pairs(3)
        return float(head.loss(queries[0], keys[1], samples)['loss_contrast'])

    assert value(StepKey(0, 5), 1) == value(StepKey(0, 5), 2)
    different = {
        value(k, 1) for k in (StepKey(0, 5), StepKey(0, 6), StepKey(1, 5), StepKey(0, 5, 1))
    }
    assert len(different) == 4


def test_a_query_without_usable_negatives() -> None:
    """The oracle may leave a query with nothing to mix, or less than num_hard."""
    queue = FeatureQueue(6, DIM)
    queue.enqueue(
        random_units(6, DIM, 0).float(), torch.tensor([0, 0, 0, 0, 0, 1]), torch.arange(6)
    )
    head = HardNegativeMixingHead(queue, 4, [PairMixing(5), QueryMixing(5)], oracle_mix=True)
    queries, keys, samples = pairs(3)
    query = queries[0].requires_grad_()
    losses = head.loss(query, keys[1], dict(samples, gt_label=torch.tensor([0, 1, 2])))
    losses['loss_contrast'].backward()
    assert math.isfinite(float(losses['loss_contrast'].detach()))
    assert query.grad is not None and torch.isfinite(query.grad).all()


def test_queries_with_nothing_to_mix_have_the_loss_and_the_chance_level_of_moco() -> None:
    everything = FeatureQueue(6, DIM)
    everything.enqueue(random_units(6, DIM, 0).float(), torch.zeros(6, dtype=torch.long))
    mixing = HardNegativeMixingHead(everything, 4, [PairMixing(5)], oracle_mix=True)
    plain = ContrastiveHead(FeatureQueue(6, DIM), T)
    plain.memory.load_state_dict(everything.state_dict())
    queries, keys, _ = pairs(2)
    query, samples = queries[0].requires_grad_(), dict(gt_label=torch.zeros(2, dtype=torch.long))
    mixed = mixing.loss(query, keys[1], samples)
    mixed['loss_contrast'].backward()
    assert query.grad is not None and torch.isfinite(query.grad).all()
    expected = plain.loss(query, keys[1], samples)
    for name in ('loss_contrast', 'chance_level'):
        torch.testing.assert_close(mixed[name], expected[name])


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='num_hard is 12 but the memory holds 11 keys'):
        HardNegativeMixingHead(memory(), LENGTH + 1, [PairMixing(3)])
    with pytest.raises(ValueError, match=r'num_hard is 9 after 3 that are skipped.*num_hard <= 8'):
        HardNegativeMixingHead(memory(), 9, [PairMixing(3)], skip=3)
    with pytest.raises(ValueError, match='two different negatives, but num_hard is 1'):
        HardNegativeMixingHead(memory(), 1, [PairMixing(3, distinct=True)])
    with pytest.raises(ValueError, match='num_hard is 0'):
        HardNegativeMixingHead(memory(), 0)
    with pytest.raises(ValueError, match='start_epoch is -1'):
        HardNegativeMixingHead(memory(), 2, start_epoch=-1)
