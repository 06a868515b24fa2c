"""Contrastive and mixing heads against loops over queries."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.heads import ContrastiveHead, HardNegativeMixingHead, MemoryHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing, QueryMixing
from mochi_mm.randomness import StepKey
from mochi_mm.structures import HardNegatives, Plan
from tests.reference import dot, info_nce_loop, random_units, unit

DIM, LENGTH, TEMPERATURE = 6, 11, 0.2


class FixedPair(PairMixing):
    """Pair mixing whose draws are a function of the position alone."""

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        batch, n = hard.index.shape
        s = torch.arange(self.num).repeat(batch, 1)
        return Plan(s % n, (s + 1) / (self.num + 2), (2 * s + 1) % n)


class FixedQuery(QueryMixing):
    """Query mixing whose draws are a function of the position alone."""

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        batch, n = hard.index.shape
        s = torch.arange(self.num).repeat(batch, 1)
        return Plan(s % n, (s + 1) / (2 * self.num + 3))


def memory(seed: int = 0) -> FeatureQueue:
    queue = FeatureQueue(LENGTH, DIM, init_seed=seed)
    queue.enqueue(random_units(8, DIM, 40).float(), torch.arange(8) % 3, torch.arange(8))
    return queue


def batch(size: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """Raw embeddings of different lengths, and their labels and indices."""
    lengths = torch.linspace(0.5, 3, size)[:, None]
    query = (random_units(size, DIM, seed + 1).float() * lengths).requires_grad_()
    key = random_units(size, DIM, seed + 2).float() * lengths.flip(0)
    samples = dict(gt_label=torch.arange(size) % 3, sample_idx=torch.arange(size))
    return query, key, samples


def loss_loop(
    head: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    bank: torch.Tensor,
    samples: dict[str, torch.Tensor],
    labels: torch.Tensor,
    indices: torch.Tensor,
) -> list[float]:
    """The objective of each query by its definition."""
    losses = []
    for b in range(len(query)):
        q, k = unit(query[b].detach().double()), unit(key[b].double())
        own = [
            head.mask_own_keys and int(indices[j]) == int(samples['sample_idx'][b])
            for j in range(LENGTH)
        ]
        same = [int(labels[j]) == int(samples['gt_label'][b]) for j in range(LENGTH)]
        cosine = [dot(q, bank[j].double()) for j in range(LENGTH)]
        negatives = [
            cosine[j] for j in range(LENGTH) if not own[j] and not (head.oracle_loss and same[j])
        ]
        minable = [j for j in range(LENGTH) if not own[j] and not (head.oracle_mix and same[j])]
        minable = sorted(minable, key=lambda j: -cosine[j])[: head.num_hard]
        for mixer in getattr(head, 'mixers', []):
            for s in range(mixer.num):
                n_i = bank[minable[s % head.num_hard]].double()
                if isinstance(mixer, PairMixing):
                    w = (s + 1) / (mixer.num + 2)
                    n_j = bank[minable[(2 * s + 1) % head.num_hard]].double()
                    negatives.append(dot(q, unit(w * n_i + (1 - w) * n_j)))
                else:
                    w = (s + 1) / (2 * mixer.num + 3)
                    negatives.append(dot(q, unit(w * q + (1 - w) * n_i)))
        losses.append(info_nce_loop(dot(q, k), negatives, head.temperature))
    return losses


HEADS: dict[str, Any] = {
    'moco': lambda: ContrastiveHead(memory(), TEMPERATURE),
    'moco, own keys masked': lambda: ContrastiveHead(memory(), TEMPERATURE, mask_own_keys=True),
    'moco, oracle': lambda: ContrastiveHead(memory(), TEMPERATURE, oracle_loss=True),
    'mochi': lambda: HardNegativeMixingHead(memory(), 4, [FixedPair(9), FixedQuery(3)]),
    'pairs only': lambda: HardNegativeMixingHead(memory(), 5, [FixedPair(2)], temperature=0.5),
    'queries only': lambda: HardNegativeMixingHead(memory(), 1, [FixedQuery(4)]),
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
    head: MemoryHead = HEADS[name]()
    query, key, samples = batch(size)
    bank = head.memory.snapshot()
    labels, indices = head.memory.labels.clone(), head.memory.indices.clone()
    losses = head.loss(query, key, samples)
    expected = loss_loop(head, query, key, bank, samples, labels, indices)
    assert float(losses['loss_contrast']) == pytest.approx(sum(expected) / size, abs=2e-6)


def test_gradient_equals_finite_differences_of_the_loop() -> None:
    """With detached synthetic negatives there is no such function, so: the plain head."""
    head = ContrastiveHead(memory(), TEMPERATURE)
    query, key, samples = batch(2)
    bank = head.memory.snapshot()
    head.loss(query, key, samples)['loss_contrast'].backward()
    step = 1e-5
    for b in range(2):
        for d in range(DIM):
            values = []
            for sign in (1, -1):
                moved = query.detach().double()
                moved[b, d] += sign * step
                values.append(
                    sum(
                        loss_loop(
                            head, moved, key, bank, samples, head.memory.labels, head.memory.indices
                        )
                    )
                    / 2
                )
            assert query.grad is not None
            assert float(query.grad[b, d]) == pytest.approx(
                (values[0] - values[1]) / (2 * step), abs=1e-5
            )


def test_gradient_with_mixing_is_that_of_the_references() -> None:
    """The fast logits give the gradient of softmax over memory and detached synthetic vectors."""
    mixers = [FixedPair(9), FixedQuery(3)]
    head = HardNegativeMixingHead(memory(), 4, mixers)
    query, key, samples = batch(5)
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
        torch.cat(logits, 1) / TEMPERATURE, torch.zeros(5, dtype=torch.long)
    ).backward()
    assert plain.grad is not None
    torch.testing.assert_close(query.grad, plain.grad.float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    'head',
    [
        lambda: HardNegativeMixingHead(memory(), LENGTH, []),
        lambda: HardNegativeMixingHead(
            memory(), LENGTH, [PairMixing(5), QueryMixing(2)], start_epoch=2
        ),
    ],
)
def test_without_mixing_it_is_moco_bit_for_bit(head: Any) -> None:
    mixing, plain = head(), ContrastiveHead(memory(), TEMPERATURE)
    for step in range(3):
        results = []
        for one in (mixing, plain):
            query, key, samples = batch(4, seed=10 * step)
            losses = one.loss(query, key, samples)
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
    shares = []
    for epoch in range(4):
        head.set_epoch(epoch, 10)
        query, key, samples = batch(4)
        head.memory.load_state_dict(memory().state_dict())
        shares.append(float(head.loss(query, key, samples)['loss_contrast'].detach()))
    assert shares[0] == shares[1] != shares[2] == shares[3]
    assert shares[2] > shares[0]


def test_memory_is_written_after_the_loss_and_never_with_synthetic_negatives() -> None:
    head = HardNegativeMixingHead(FeatureQueue(4, DIM), 2, [PairMixing(9)])
    before = head.memory.snapshot()
    query, key, samples = batch(2)
    loss = head.loss(query, key, samples)['loss_contrast']
    keys = torch.nn.functional.normalize(key, dim=1)
    torch.testing.assert_close(head.memory.features[:2], keys)
    assert torch.equal(head.memory.features[2:], before[2:])
    assert int(head.memory.pointer) == 2
    assert head.memory.labels.tolist() == [0, 1, -1, -1]
    assert head.memory.indices.tolist() == [0, 1, -1, -1]
    loss.backward()  # the memory has moved on; the gradient is still that of the old one
    other = HardNegativeMixingHead(FeatureQueue(4, DIM), 2, [])
    again, _, _ = batch(2)
    other.loss(again, key, samples)['loss_contrast'].backward()
    assert query.grad is not None and again.grad is not None


def test_statistics() -> None:
    head = HardNegativeMixingHead(memory(), 4, [FixedPair(6), FixedQuery(5)])
    query, key, samples = batch(7)
    key = key + 0.8 * query.detach()  # so that some positives win
    bank = head.memory.snapshot()
    stats = head.loss(query, key, samples)
    q = torch.nn.functional.normalize(query.detach().double(), dim=1)
    k = torch.nn.functional.normalize(key.double(), dim=1)
    real, positive = q @ bank.double().T, (q * k).sum(1)
    similarity, index = real.topk(4, dim=1)
    hard = HardNegatives(bank.double(), index, similarity)
    synthetic = torch.cat(
        [(q[:, None] * m.features(q, hard, m.plan(hard))).sum(-1) for m in head.mixers], 1
    )
    hardest = real.amax(1)
    expected = dict(
        acc_contrast=sum(float(positive[b] > hardest[b]) for b in range(7)) / 7,
        acc_contrast_synthetic=sum(
            float(positive[b] > max(hardest[b], synthetic[b].max())) for b in range(7)
        )
        / 7,
        sim_positive=float(positive.mean()),
        sim_hardest=float(similarity.mean()),
        share_harder=sum(float(synthetic[b, s] > hardest[b]) for b in range(7) for s in range(11))
        / 77,
        queue_fill=8 / LENGTH,
        chance_level=math.log(1 + LENGTH),
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
        head.set_step(key)
        query, other, samples = batch(3)
        return float(head.loss(query, other, samples)['loss_contrast'].detach())

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
    query, key, samples = batch(3)
    samples['gt_label'] = torch.tensor([0, 1, 2])
    losses = head.loss(query, key, samples)
    losses['loss_contrast'].backward()
    assert math.isfinite(float(losses['loss_contrast'].detach()))
    assert query.grad is not None and torch.isfinite(query.grad).all()

    everything = FeatureQueue(6, DIM)
    everything.enqueue(random_units(6, DIM, 0).float(), torch.zeros(6, dtype=torch.long))
    mixing = HardNegativeMixingHead(everything, 4, [PairMixing(5)], oracle_mix=True)
    plain = ContrastiveHead(memory(), TEMPERATURE)
    plain.memory = FeatureQueue(6, DIM)
    plain.memory.load_state_dict(everything.state_dict())
    plain.num_hard = 4
    query, key, samples = batch(2)
    samples['gt_label'] = torch.zeros(2, dtype=torch.long)
    mixed = mixing.loss(query, key, samples)['loss_contrast']
    mixed.backward()
    assert query.grad is not None and torch.isfinite(query.grad).all()
    torch.testing.assert_close(mixed, plain.loss(query, key, samples)['loss_contrast'])


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_computes_in_float32_under_autocast(dtype: torch.dtype) -> None:
    head, same = (HardNegativeMixingHead(memory(), 4, [FixedPair(3)]) for _ in range(2))
    query, key, samples = batch(5)
    low_query, low_key = query.detach().to(dtype), key.to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        low = head.loss(low_query, low_key, samples)['loss_contrast']
    full = same.loss(low_query.float(), low_key.float(), samples)['loss_contrast']
    assert low.dtype == torch.float32 and torch.equal(low, full)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='num_hard is 12 but the memory holds 11 keys'):
        HardNegativeMixingHead(memory(), LENGTH + 1, [PairMixing(3)])
    with pytest.raises(ValueError, match='two different negatives, but num_hard is 1'):
        HardNegativeMixingHead(memory(), 1, [PairMixing(3, distinct=True)])
    with pytest.raises(ValueError, match='num_hard is 0'):
        HardNegativeMixingHead(memory(), 0)
    with pytest.raises(ValueError, match='temperature is 0.*above 0'):
        ContrastiveHead(memory(), temperature=0)
    with pytest.raises(ValueError, match='start_epoch is -1'):
        HardNegativeMixingHead(memory(), 2, start_epoch=-1)
    head = HardNegativeMixingHead(memory(), 2, [PairMixing(1)], start_epoch=5)
    with pytest.raises(ValueError, match='start_epoch is 5 but the run ends after 5 epochs'):
        head.set_epoch(0, 5)


def test_bad_batches_leave_the_memory_alone() -> None:
    head = ContrastiveHead(memory(), TEMPERATURE, mask_own_keys=True)
    before = head.memory.snapshot()
    query, key, samples = batch(3)
    with pytest.raises(ValueError, match=r'width 6'):
        head.loss(query[:, :4], key[:, :4], samples)
    with pytest.raises(ValueError, match='mask_own_keys needs sample_idx.*got none'):
        head.loss(query, key, dict(gt_label=samples['gt_label']))
    oracle = HardNegativeMixingHead(memory(), 2, [PairMixing(1)], oracle_mix=True)
    with pytest.raises(ValueError, match=r'class oracle needs gt_label.*unknown ones \(-1\)'):
        oracle.loss(query, key, dict(gt_label=torch.tensor([0, -1, 2])))
    assert torch.equal(head.memory.features, before)
