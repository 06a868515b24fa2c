"""Heads that let memory rows pull: against loops, over ranks, with mixers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.heads import (
    ContrastiveHead,
    FalseNegativeFinder,
    FalseNegativeMemoryHead,
    LabelledMemoryHead,
    MemoryHead,
    SoftContrastiveHead,
)
from mochi_mm.models.memories import FeatureQueue, InstanceBank
from tests.models.heads.test_memory_heads import FixedPair, FixedQuery
from tests.ranks import run_ranks
from tests.reference import dot, random_units, unit

DIM, LENGTH, T = 6, 11, 0.2
Views = dict[int, torch.Tensor]


def memory() -> FeatureQueue:
    queue = FeatureQueue(LENGTH, DIM)
    queue.enqueue(random_units(8, DIM, 40).float(), torch.arange(8) % 3, torch.arange(8))
    return queue


def finder(support: str = 'full', **kwargs: Any) -> FalseNegativeFinder:
    settings: dict[str, Any] = dict(num_support=1, support=support, top_k=2, threshold=0.1)
    return FalseNegativeFinder(**{**settings, **kwargs})


MIXERS = [FixedPair(5), FixedQuery(3)]
HEADS: dict[str, Any] = {
    'sce': lambda **k: SoftContrastiveHead(memory(), 0.07, 0.4, temperature=T, **k),
    'sce, zero slot': lambda **k: SoftContrastiveHead(memory(), 1.0, 0.0, 'zero', **k),
    'labels': lambda **k: LabelledMemoryHead(memory(), temperature=T, **k),
    'labels, in': lambda **k: LabelledMemoryHead(memory(), 'in', temperature=T, **k),
    'labels, own masked': lambda **k: LabelledMemoryHead(
        memory(), temperature=T, mask_own_keys=True, **k
    ),
    'fnc attract': lambda **k: FalseNegativeMemoryHead(memory(), finder(), **k),
    'fnc attract, scoring': lambda **k: FalseNegativeMemoryHead(memory(), finder('score'), **k),
    'fnc eliminate': lambda **k: FalseNegativeMemoryHead(
        memory(), finder(aggregate='mean'), 'eliminate', **k
    ),
    'fnc none': lambda **k: FalseNegativeMemoryHead(memory(), finder(), 'none', **k),
    'fnc attract, own masked': lambda **k: FalseNegativeMemoryHead(
        memory(), finder(threshold=None), mask_own_keys=True, **k
    ),
    'fnc eliminate, own masked': lambda **k: FalseNegativeMemoryHead(
        memory(), finder(threshold=None), 'eliminate', mask_own_keys=True, **k
    ),
    'fnc attract, oracle': lambda **k: FalseNegativeMemoryHead(
        memory(), finder(threshold=None), oracle_loss=True, **k
    ),
}


def batch(size: int, seed: int = 0) -> tuple[Views, Views, dict[str, torch.Tensor]]:
    """Two queries and three keys of each image; the third view is a support view."""
    queries = {i: 2 * random_units(size, DIM, seed + i).float() for i in range(2)}
    keys = {i: 0.5 * random_units(size, DIM, seed + 5 + i).float() for i in range(3)}
    samples = dict(gt_label=(torch.arange(size) + seed) % 3, sample_idx=torch.arange(size) + seed)
    return queries, keys, samples


def pull_loop(head: Any, keys: list[torch.Tensor], label: int, rows: Any) -> dict[int, float]:
    """The weight of each memory row, by the definition of each method; own keys weigh 1 each."""
    bank, labels = rows
    if isinstance(head, SoftContrastiveHead):
        parts = [math.exp(dot(keys[-1], row) / head.key_temperature) for row in bank]
        total = sum(parts) + (head.own_slot == 'zero')
        shares = [(1 - head.own_weight) * part / total for part in parts]
        rest = 1 - sum(shares)
        return {j: share / rest for j, share in enumerate(shares)}
    if isinstance(head, LabelledMemoryHead):
        return {j: 1.0 for j in range(LENGTH) if int(labels[j]) == label}
    return {}


def found_loop(head: Any, scoring: list[torch.Tensor], bank: Any, seen: list[int]) -> set[int]:
    """The false negatives of one image among the rows ``seen``."""
    scores = {}
    for j in seen:
        cosines = [dot(key, bank[j]) for key in scoring]
        scores[j] = max(cosines) if head.finder.aggregate == 'max' else sum(cosines) / len(cosines)
    nearest = sorted(scores, key=lambda j: -scores[j])[: head.finder.top_k]
    least = -2.0 if head.finder.threshold is None else head.finder.threshold
    return {j for j in nearest if scores[j] > least}


def loss_loop(head: Any, queries: Views, keys: Views, samples: dict[str, torch.Tensor]) -> float:
    """The mean over anchors of ``log sum exp - weighted mean of the positives``, in float64."""
    bank = head.memory.features.double()
    labels, indices = head.memory.labels, head.memory.indices
    held, losses = int(head.memory.count), []
    false_negatives = isinstance(head, FalseNegativeMemoryHead)
    contrasted = [0, 1, 2]
    if false_negatives and head.finder.support == 'score':
        contrasted = [0, 1]
    for b in range(len(samples['gt_label'])):
        k = {j: unit(key[b].double()) for j, key in keys.items()}
        for i, query in queries.items():
            q = unit(query[b].detach().double())
            others = [[k[j] for j in contrasted if j != i]]
            if not false_negatives:  # one anchor a pair
                others = [[key] for key in others[0]]
            for own in others:
                pull = pull_loop(head, own, int(samples['gt_label'][b]), (bank, labels))
                dropped: set[int] = set()
                if head.mask_own_keys:
                    dropped = {j for j in range(LENGTH) if indices[j] == samples['sample_idx'][b]}
                if head.oracle_loss:
                    label = samples['gt_label'][b]
                    dropped |= {j for j in range(LENGTH) if labels[j] == label}
                if false_negatives and head.strategy != 'none':
                    scoring = [k[2]] if head.finder.support == 'score' else list(k.values())
                    seen = [j for j in range(held) if j not in dropped]
                    found = found_loop(head, scoring, bank, seen)
                    if head.strategy == 'attract':
                        pull = dict.fromkeys(found, 1.0)
                    else:
                        dropped = dropped | found
                cosines = {j: dot(q, bank[j]) for j in range(LENGTH) if j not in dropped}
                logits = [dot(q, key) / head.temperature for key in own]
                total = sum(map(math.exp, logits))
                total += sum(math.exp(c / head.temperature) for c in cosines.values())
                weights = [1.0] * len(own) + [w for j, w in pull.items() if j in cosines]
                values = logits + [cosines[j] / head.temperature for j in pull if j in cosines]
                pulled = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
                if getattr(head, 'pull_form', '') == 'inside':
                    terms = [w * math.exp(v) for w, v in zip(weights, values, strict=True)]
                    pulled = math.log(sum(terms) / sum(weights))
                losses.append(math.log(total) - pulled)
    return sum(losses) / len(losses)


@pytest.mark.parametrize('size', [1, 3, 7])
@pytest.mark.parametrize('name', HEADS)
def test_loss_equals_the_loop(name: str, size: int) -> None:
    head = HEADS[name]()
    queries, keys, samples = batch(size)
    expected = loss_loop(head, queries, keys, samples)
    result = head.loss_views(queries, keys, samples)
    assert float(result['loss_contrast']) == pytest.approx(expected, abs=1e-6)
    if 'fnc' in name and size > 1 and name != 'fnc none':
        assert 0 < float(result['false_negatives']) <= 2


@pytest.mark.parametrize(
    ('temperature', 'key_temperature', 'own_weight', 'own_slot', 'expected'),
    [
        (0.1, 0.07, 0.5, 'masked', 1.388558),
        (0.1, 0.07, 0.5, 'zero', 1.388549),
        (0.2, 1.0, 0.5, 'masked', 2.001184),
        (0.2, 1.0, 0.5, 'zero', 1.785176),
        (0.1, 0.07, 1.0, 'masked', 0.814853),
        (0.1, 0.07, 1.0, 'zero', 0.814853),
        (0.1, 0.07, 0.0, 'masked', 1.962263),
    ],
)
def test_worked_values_of_sce(
    temperature: float, key_temperature: float, own_weight: float, own_slot: str, expected: float
) -> None:
    queue = FeatureQueue(4, 2)
    rows = [[0.96, 0.28], [-0.6, 0.8], [0.6, -0.8], [-1.0, 0.0]]
    queue.features.copy_(torch.tensor(rows))
    head = SoftContrastiveHead(
        queue, key_temperature, own_weight, own_slot, temperature=temperature
    )
    query, key = torch.tensor([[0.8, 0.6], [0.28, 0.96]]), torch.eye(2)
    loss = head.loss(2 * query, 3 * key)['loss_contrast']
    assert float(loss) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('name', HEADS)
def test_mixers_compose(name: str) -> None:
    """Their loss is the plain one with the synthetic logits in the denominator alone."""
    plain, mixing = HEADS[name](num_hard=3), HEADS[name](mixers=MIXERS, num_hard=3, start_epoch=1)
    queries, keys, samples = batch(4)
    results = []
    for head, epoch in ((plain, 0), (mixing, 0), (mixing, 1)):
        head.memory.load_state_dict(memory().state_dict())
        head.set_epoch(epoch, 3)
        leaves = {i: q.clone().requires_grad_() for i, q in queries.items()}
        result = head.loss_views(leaves, keys, samples)
        result['loss_contrast'].backward()
        assert all(torch.isfinite(q.grad).all() for q in leaves.values() if q.grad is not None)
        results.append(result)
    for key, value in results[0].items():
        assert torch.equal(value, results[1][key]), key
    assert float(results[2]['loss_contrast'].detach()) > float(results[0]['loss_contrast'].detach())
    assert 'share_harder' in results[2]


def test_positives_are_never_mixed() -> None:
    """With everything but one row a positive, mixtures can only hold that row."""
    queue = FeatureQueue(3, DIM)
    queue.enqueue(random_units(3, DIM, 3).float(), torch.tensor([0, 0, 1]), torch.arange(3))
    head = LabelledMemoryHead(queue, temperature=T, mixers=[FixedPair(2)], num_hard=3)
    seen = []
    plan = head.mixers[0].plan
    head.mixers[0].plan = lambda hard, generator: seen.append(hard) or plan(hard, generator)
    head.loss(
        random_units(1, DIM, 1).float(),
        random_units(1, DIM, 2).float(),
        dict(gt_label=torch.tensor([0])),
    )
    assert seen[0].count.tolist() == [1] and int(seen[0].index[0, 0]) == 2


def test_own_weight_one_and_no_positive_are_moco() -> None:
    queries, keys, samples = batch(5)
    moco = ContrastiveHead(memory(), T).loss_views(queries, keys, samples)['loss_contrast']
    sce = SoftContrastiveHead(memory(), own_weight=1.0, temperature=T)
    value = sce.loss_views(queries, keys, samples)['loss_contrast']
    torch.testing.assert_close(value, moco)
    strangers = dict(samples, gt_label=samples['gt_label'] + 100)
    value = LabelledMemoryHead(memory(), temperature=T).loss_views(queries, keys, strangers)[
        'loss_contrast'
    ]
    torch.testing.assert_close(value, moco)


def test_symmetric_is_the_mean_of_both_ways() -> None:
    queries, keys, samples = batch(4)
    del keys[2]
    both = ContrastiveHead(memory(), T).loss_views(queries, keys, samples)
    single = [
        ContrastiveHead(memory(), T).loss(queries[i], keys[1 - i], samples)['loss_contrast']
        for i in range(2)
    ]
    torch.testing.assert_close(both['loss_contrast'], (single[0] + single[1]) / 2)


def test_every_contrasted_key_is_enqueued_once() -> None:
    queries, keys, samples = batch(3)
    for head, count in (
        (HEADS['sce'](), 9),
        (HEADS['fnc attract'](), 9),
        (HEADS['fnc attract, scoring'](), 6),
    ):
        head.memory = FeatureQueue(20, DIM)
        head.loss_views(queries, keys, samples)
        views = count // 3
        stored = [torch.nn.functional.normalize(keys[i], dim=1) for i in range(views)]
        rows = torch.stack(stored, dim=1).flatten(0, 1)  # image by image
        torch.testing.assert_close(head.memory.features[:count], rows)
        assert int(head.memory.count) == count
        labels = samples['gt_label'].repeat_interleave(views)
        assert head.memory.labels[:count].tolist() == labels.tolist()


def test_rows_without_a_key_are_no_false_negatives() -> None:
    queue = FeatureQueue(LENGTH, DIM)
    head = FalseNegativeMemoryHead(queue, finder(threshold=None))
    queries, keys, samples = batch(3)
    assert float(head.loss_views(queries, keys, samples)['false_negatives']) == 0
    assert float(head.loss_views(queries, keys, samples)['false_negatives']) == 2


def test_an_instance_bank_is_a_memory_too() -> None:
    """InstDis: MoCo's objective over one row for each image, the own one masked."""
    bank = InstanceBank(9, DIM)
    head = ContrastiveHead(bank, T, mask_own_keys=True)
    queries, keys, samples = batch(4)
    rows = bank.features.double()
    value = head.loss(queries[0], keys[1], samples)['loss_contrast']
    losses = []
    for b in range(4):
        q, k = unit(queries[0][b].double()), unit(keys[1][b].double())
        logits = [dot(q, k) / T] + [dot(q, rows[j]) / T for j in range(9) if j != b]
        losses.append(math.log(sum(map(math.exp, logits))) - logits[0])
    assert float(value) == pytest.approx(sum(losses) / 4, abs=1e-6)
    assert bank.held().tolist() == [True] * 4 + [False] * 5


# Every head, alone and with synthetic negatives.
ON_RANKS: dict[str, Any] = {
    **HEADS,
    **{
        f'{name}, mixing': lambda make=make: make(mixers=MIXERS, num_hard=3)
        for name, make in HEADS.items()
    },
}


def on_a_rank(
    rank: int, batches: list[list[int]], state: dict[str, torch.Tensor]
) -> dict[str, dict[str, Any]]:
    parts = []
    for step, splits in enumerate(batches):
        queries, keys, samples = batch(sum(splits), step)
        parts.append(
            [
                {name: value.split(splits)[rank] for name, value in part.items()}
                for part in (queries, keys, samples)
            ]
        )
    results = {}
    for name, make in ON_RANKS.items():
        head = make()
        head.memory.load_state_dict(state)
        results[name] = run(head, parts)
        for loss in results[name]['losses']:
            dist.all_reduce(loss)
            loss /= 2
    return results


def run(head: MemoryHead, parts: list[Any]) -> dict[str, Any]:
    losses, grads = [], []
    for queries, keys, samples in parts:
        leaves = {i: q.clone().requires_grad_() for i, q in queries.items()}
        loss = head.loss_views(leaves, keys, samples)['loss_contrast']
        loss.backward()
        losses.append(loss.detach())
        grads.append({i: q.grad for i, q in leaves.items()})
    return dict(losses=losses, grads=grads, memory=dict(head.memory.state_dict()))


def test_two_ranks_equal_one_process() -> None:
    batches = [[2, 2], [1, 1], [3, 1]]
    results = run_ranks(on_a_rank, 2, batches, dict(memory().state_dict()))
    parts = [batch(sum(splits), i) for i, splits in enumerate(batches)]
    for name, make in ON_RANKS.items():
        whole, ranks = run(make(), parts), [result[name] for result in results]
        for step in range(len(batches)):
            expected = whole['losses'][step]
            torch.testing.assert_close(ranks[0]['losses'][step], expected, msg=name)
            for view in range(2):
                joined = torch.cat([r['grads'][step][view] for r in ranks]) / 2
                expected = whole['grads'][step][view]
                torch.testing.assert_close(joined, expected, rtol=1e-5, atol=1e-7, msg=name)
        for rank in ranks:
            for key, value in whole['memory'].items():
                torch.testing.assert_close(
                    rank['memory'][key], value, rtol=1e-6, atol=1e-7, msg=name
                )


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='key_temperature is 0; expected a number above 0'):
        SoftContrastiveHead(memory(), key_temperature=0)
    with pytest.raises(ValueError, match='oracle_loss=True drops the rows'):
        LabelledMemoryHead(memory(), oracle_loss=True)
    with pytest.raises(ValueError, match="form is 'inside'; expected one of out, in"):
        LabelledMemoryHead(memory(), 'inside')
    with pytest.raises(ValueError, match="strategy is 'push'; expected one of attract, eliminate"):
        FalseNegativeMemoryHead(memory(), finder(), 'push')
    with pytest.raises(ValueError, match='num_support is 0'):
        finder(num_support=0)
    with pytest.raises(ValueError, match='both None'):
        finder(top_k=None, threshold=None)
    with pytest.raises(ValueError, match="support is 'half'; expected one of full, score"):
        finder('half')
    for name, value, expected in (
        ('num_support', True, 'an integer >= 1, such as 8'),
        ('num_support', 2.0, 'an integer >= 1, such as 8'),
        ('top_k', True, 'an integer >= 1, such as 10'),
        ('top_k', 0, 'an integer >= 1, such as 10'),
        ('threshold', '0.7', r'a cosine in \[-1, 1\), or None'),
        ('threshold', True, r'a cosine in \[-1, 1\), or None'),
        ('threshold', math.nan, r'a cosine in \[-1, 1\), or None'),
        ('threshold', 1.0, r'a cosine in \[-1, 1\), or None'),
    ):
        with pytest.raises(ValueError, match=f'{name} is {value!r}; expected {expected}'):
            finder(**{name: value})
    with pytest.raises(ValueError, match='own_weight is True; expected the weight lambda'):
        SoftContrastiveHead(memory(), own_weight=True)
    with pytest.raises(ValueError, match='num_hard is True but the memory holds 11 keys'):
        ContrastiveHead(memory(), num_hard=True)
    with pytest.raises(ValueError, match='start_epoch is True; expected an integer >= 0'):
        ContrastiveHead(memory(), start_epoch=True)


def test_bad_batches_leave_the_memory_alone() -> None:
    queries, keys, samples = batch(3)
    head = LabelledMemoryHead(memory(), temperature=T)
    before = head.memory.snapshot()
    with pytest.raises(ValueError, match='LabelledMemoryHead needs gt_label for every sample'):
        head.loss_views(queries, keys, dict(gt_label=torch.tensor([0, -1, 1])))
    with pytest.raises(ValueError, match='at least one query and one key of different views'):
        head.loss_views({0: queries[0]}, {0: keys[0]}, samples)
    fnc = FalseNegativeMemoryHead(head.memory, finder(num_support=8))
    with pytest.raises(ValueError, match='got 3 views of each image, too few for 8 support views'):
        fnc.loss_views(queries, keys, samples)
    fnc = FalseNegativeMemoryHead(head.memory, finder('score'))
    with pytest.raises(ValueError, match=r'views \[2\] are queries but their keys are not contr'):
        fnc.loss_views({2: queries[0]}, keys, samples)
    assert torch.equal(head.memory.features, before)
