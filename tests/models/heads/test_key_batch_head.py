"""MoCo-v3's objective: worked values, slow loops, ranks, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.heads import KeyBatchHead
from mochi_mm.structures import Views
from tests.models.heads.toy import Embeddings, T, mixing, pairs, synthetic
from tests.ranks import run_ranks
from tests.reference import dot, unit

# Of two images, two views each: embeddings of the trained and of the averaged encoder.
ONLINE = {
    0: torch.tensor([[0.8, 0.6], [0.28, 0.96]]),
    1: torch.tensor([[1.0, 0.0], [0.6, 0.8]]),
}
TARGET = {
    0: torch.tensor([[0.96, 0.28], [-0.6, 0.8]]),
    1: torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
}


def loss(head: KeyBatchHead, online: Embeddings, target: Embeddings) -> float:
    return float(head.loss_views(online, target)['loss_contrast'])


@pytest.mark.parametrize(
    ('temperature', 'first', 'second', 'both'),
    [(1.0, 1.008006, 1.177306, 2.185312), (0.2, 0.069218, 0.534411, 0.603629)],
)
def test_worked_values(temperature: float, first: float, second: float, both: float) -> None:
    """Of each pair of views, and their sum."""
    head = KeyBatchHead(temperature)
    assert loss(head, {0: ONLINE[0]}, {1: TARGET[1]}) == pytest.approx(first, abs=1e-6)
    assert loss(head, {1: 3 * ONLINE[1]}, {0: TARGET[0]}) == pytest.approx(second, abs=1e-6)
    assert loss(head, ONLINE, TARGET) == pytest.approx(both, abs=1e-6)
    assert loss(KeyBatchHead(temperature, weight=0.5), ONLINE, TARGET) == pytest.approx(
        both / 2, abs=1e-6
    )


def test_worked_gradient() -> None:
    query = ONLINE[0].clone().requires_grad_()
    key = TARGET[1].clone().requires_grad_()
    KeyBatchHead(0.2).loss(query, key)['loss_contrast'].backward()
    assert query.grad is not None and key.grad is None
    assert query.grad[0].tolist() == pytest.approx([-0.225911, 0.301214], abs=1e-6)


def of_this_rank(rank: int) -> dict[str, Any]:
    online = {view: rows[rank : rank + 1].clone().requires_grad_() for view, rows in ONLINE.items()}
    target = {view: rows[rank : rank + 1] for view, rows in TARGET.items()}
    result = KeyBatchHead(0.2).loss_views(online, target)
    result['loss_contrast'].backward()
    gradient = online[0].grad
    chance = float(result['chance_level'])
    return dict(loss=float(result['loss_contrast'].detach()), gradient=gradient, chance=chance)


def test_worked_values_of_two_ranks_with_one_image_each() -> None:
    """Without the offset of its images, the second rank would lose 1.401789."""
    results = run_ranks(of_this_rank, 2)
    assert [r['loss'] for r in results] == pytest.approx([0.125469, 1.081789], abs=1e-6)
    assert [r['chance'] for r in results] == pytest.approx([0.8 * math.log(2)] * 2, abs=1e-6)
    # A rank's gradient is averaged with the other's, which holds zero for these queries.
    gradient = results[0]['gradient'][0] / 2
    assert gradient.tolist() == pytest.approx([-0.225911, 0.301214], abs=1e-6)


def loop(head: KeyBatchHead, online: Embeddings, target: Embeddings) -> float:
    """The sum over pairs of views of the mean over queries of 2 t CE, by the definition."""
    total = 0.0
    for i, j in ((i, j) for i in online for j in target if i != j):
        keys = [unit(row) for row in target[j].double()]
        for b, raw in enumerate(online[i].double()):
            query = unit(raw)
            logits = [dot(query, key) / head.temperature for key in keys]
            push = list(logits)
            if head.mixing is not None:
                others = [k for k in range(len(keys)) if k != b]
                hard = sorted(others, key=lambda k: -logits[k])[: head.mixing.num_hard]
                made = synthetic(query, [keys[k] for k in hard], head.mixing.mixers)
                push += [cosine / head.temperature for cosine in made]
            entropy = math.log(sum(map(math.exp, push))) - logits[b]
            total += 2 * head.temperature * entropy / len(keys)
    return total


@pytest.mark.parametrize('part', [None, mixing(3)], ids=['plain', 'mixing'])
@pytest.mark.parametrize('size', [4, 7])
@pytest.mark.parametrize('views', [([0], [1]), ([0, 1], [0, 1]), ([0, 1], [0, 1, 2])], ids=str)
def test_loss_equals_the_loop(size: int, views: Any, part: Any) -> None:
    queries, keys, _ = pairs(size)
    online, target = (
        {v: rows[v] for v in n} for rows, n in zip((queries, keys), views, strict=True)
    )
    head = KeyBatchHead(T, mixing=part)
    assert loss(head, online, target) == pytest.approx(loop(head, online, target), abs=2e-6)


def test_a_query_meets_the_keys_of_one_view_alone() -> None:
    queries, keys, _ = pairs(3)
    step = KeyBatchHead(T).compute(Views(queries, keys))
    block = step.block('batch_keys')
    assert block.similarity.shape == (12, 9)  # four pairs of views, three sets of keys
    assert block.dropped is not None and block.dropped.sum(1).tolist() == [6] * 12
    assert block.same_image is not None and block.same_image.sum(1).tolist() == [1] * 12


def test_statistics() -> None:
    """The share of queries whose key is the nearest of all, and the mean cosine with it."""
    queries, keys, _ = pairs(5)
    keys = {0: keys[0] + 0.4 * queries[1], 1: keys[1] + 0.4 * queries[0]}
    result = KeyBatchHead(T).loss_views(queries, keys)
    hits, own = 0, 0.0
    for i, j in ((0, 1), (1, 0)):
        for b, query in enumerate(queries[i].double()):
            cosines = [dot(unit(query), unit(key)) for key in keys[j].double()]
            hits += cosines.index(max(cosines)) == b
            own += cosines[b]
    assert 0 < hits < 10
    assert float(result['acc_contrast']) == pytest.approx(hits / 10)
    assert float(result['sim_positive']) == pytest.approx(own / 10, abs=1e-6)
    assert float(result['chance_level']) == pytest.approx(2 * T * 2 * math.log(5), abs=1e-6)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match='but KeyBatchHead needs none'):
        KeyBatchHead(memory=dict(type='FeatureQueue', length=4, dim=2))
    with pytest.raises(ValueError, match=r'key \(2, 3\) does not fit 2 images and queries of wid'):
        KeyBatchHead().loss(torch.ones(2, 2), torch.ones(2, 3))
    with pytest.raises(ValueError, match='at least one query and one key of different views'):
        KeyBatchHead().loss_views({0: torch.ones(2, 2)}, {0: torch.ones(2, 2)})
