"""MoCo's objective against loops over queries, masks and oracles included."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.heads import ContrastiveHead
from mochi_mm.models.memories import FeatureQueue, InstanceBank
from tests.models.heads.toy import DIM, LENGTH, T, memory, mixing, pairs, pairs_loop
from tests.reference import dot, random_units, unit

HEADS: dict[str, Any] = {
    'plain': dict(),
    'another temperature': dict(temperature=0.5),
    'own keys masked': dict(mask_own_keys=True),
    'oracle': dict(oracle_loss=True),
    'oracle, own keys masked': dict(oracle_loss=True, mask_own_keys=True),
    'mixing': dict(mixing=mixing(3)),
    'mixing, skip': dict(mixing=mixing(3, skip=2)),
    'mixing, oracle in the mixing': dict(mixing=mixing(3), oracle_mix=True),
    'mixing, oracle in both, own keys masked': dict(
        mixing=mixing(3), oracle_mix=True, oracle_loss=True, mask_own_keys=True
    ),
}


@pytest.mark.parametrize('size', [1, 7])
@pytest.mark.parametrize('name', HEADS)
def test_loss_equals_the_loop(name: str, size: int) -> None:
    head = ContrastiveHead(memory(), **HEADS[name])
    queries, keys, samples = pairs(size)
    expected = pairs_loop(head, queries, keys, samples)
    loss = head.loss_views(queries, keys, samples)['loss_contrast']
    assert float(loss) == pytest.approx(expected, abs=2e-6)


def test_gradient_equals_finite_differences_of_the_loop() -> None:
    head = ContrastiveHead(memory(), T)
    queries, keys, samples = pairs(2)
    queries, keys = {0: queries[0].requires_grad_()}, {1: keys[1]}
    before = memory().state_dict()
    head.loss_views(queries, keys, samples)['loss_contrast'].backward()
    head.memory.load_state_dict(before)
    gradient, step = queries[0].grad, 1e-5
    assert gradient is not None
    for place in range(2 * DIM):
        values = []
        for sign in (1, -1):
            moved = queries[0].detach().double()
            moved.view(-1)[place] += sign * step
            values.append(pairs_loop(head, {0: moved}, keys, samples))
        slope = (values[0] - values[1]) / (2 * step)
        assert float(gradient.view(-1)[place]) == pytest.approx(slope, abs=1e-5)


def test_symmetric_is_the_mean_of_both_ways() -> None:
    queries, keys, samples = pairs(4)
    del keys[2]
    both = ContrastiveHead(memory(), T).loss_views(queries, keys, samples)
    single = [
        ContrastiveHead(memory(), T).loss(queries[i], keys[1 - i], samples)['loss_contrast']
        for i in range(2)
    ]
    torch.testing.assert_close(both['loss_contrast'], (single[0] + single[1]) / 2)


def test_statistics_of_the_plain_head() -> None:
    queries, keys, samples = pairs(7)
    key = keys[1] + 0.8 * queries[0]  # so that some positives win
    head = ContrastiveHead(memory(), T)
    bank = head.memory.snapshot().double()
    stats = head.loss(queries[0], key, samples)
    q = torch.stack([unit(row) for row in queries[0].double()])
    k = torch.stack([unit(row) for row in key.double()])
    positive, hardest = (q * k).sum(1), (q @ bank.T).amax(1)
    expected = dict(
        acc_contrast=sum(float(positive[b] > hardest[b]) for b in range(7)) / 7,
        acc_contrast_synthetic=sum(float(positive[b] > hardest[b]) for b in range(7)) / 7,
        sim_positive=float(positive.mean()),
        sim_hardest=float((q @ bank.T).mean()),  # of all eleven, the least of 1024 and K
        share_harder=0.0,
        queue_fill=8 / LENGTH,
        chance_level=math.log(1 + LENGTH),
    )
    assert set(stats) == {*expected, 'loss_contrast'}
    for name, value in expected.items():
        assert float(stats[name]) == pytest.approx(value, abs=1e-6), name
    assert 0 < expected['acc_contrast'] < 1


def test_an_instance_bank_is_a_memory_too() -> None:
    """InstDis: MoCo's objective over one row for each image, the own one masked."""
    bank = InstanceBank(9, DIM)
    head = ContrastiveHead(bank, T, mask_own_keys=True)
    queries, keys, samples = pairs(4)
    rows = bank.features.double()
    value = head.loss(queries[0], keys[1], samples)['loss_contrast']
    losses = []
    for b in range(4):
        q, k = unit(queries[0][b].double()), unit(keys[1][b].double())
        logits = [dot(q, k) / T] + [dot(q, rows[j]) / T for j in range(9) if j != b]
        losses.append(math.log(sum(map(math.exp, logits))) - logits[0])
    assert float(value) == pytest.approx(sum(losses) / 4, abs=1e-6)
    assert bank.held().tolist() == [True] * 4 + [False] * 5
    with pytest.raises(ValueError, match='the sample 9 but the instance bank has rows 0 to 8'):
        head.check_samples(dict(sample_idx=torch.tensor([0, 9])))


def test_a_query_whose_memory_is_its_own_class() -> None:
    """The oracle leaves it nothing that pushes: its loss is 0, and the gradient is finite."""
    queue = FeatureQueue(6, DIM)
    queue.enqueue(random_units(6, DIM, 0).float(), torch.zeros(6, dtype=torch.long))
    head = ContrastiveHead(queue, oracle_loss=True)
    query = random_units(2, DIM, 1).float().requires_grad_()
    labels = dict(gt_label=torch.zeros(2, dtype=torch.long))
    loss = head.loss(query, random_units(2, DIM, 2).float(), labels)['loss_contrast']
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    assert query.grad is not None and query.grad.abs().max() < 1e-6
