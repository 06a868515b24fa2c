"""RenyiCL's objective: worked values, loops in the batch and with a memory, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.skew_renyi import skew_renyi
from mochi_mm.models.heads import SkewRenyiHead
from mochi_mm.structures import Anchors, Block
from tests.models.heads.toy import Embeddings, labeled, memory, mixing, pairs, synthetic
from tests.models.heads.worked import random_views
from tests.ranks import run_ranks
from tests.reference import dot, unit

#: Logits of a positive and of negatives.
Pairs = tuple[list[float], list[float]]


def minus_bound(pulled: list[float], pushed: list[float], gamma: float, alpha: float) -> float:
    """Minus the bound by its definition, of the logits of all pairs of a batch."""

    def mean(logits: list[float], factor: float) -> float:
        return math.fsum(math.exp(factor * f) for f in logits) / len(logits)

    reached = math.fsum(pulled) / len(pulled)
    if gamma != 1:
        reached = math.log(mean(pulled, gamma - 1)) / (gamma - 1)
    mixture = alpha * mean(pulled, gamma) + (1 - alpha) * mean(pushed, gamma)
    return math.log(mixture) / gamma - reached


def made(query: Tensor, rows: list[Tensor], part: Any) -> list[float]:
    """Cosines with what fixed mixers make of the hardest rows."""
    if part is None or not part.active:
        return []
    hard = sorted(rows, key=lambda row: -dot(query, row))[: part.num_hard]
    return synthetic(query, hard, part.mixers)


def loss(head: SkewRenyiHead, online: Embeddings, target: Embeddings | None = None) -> float:
    samples = labeled(len(online[0]))
    return float(head.loss_views(online, target, samples)['loss_contrast'])


@pytest.mark.parametrize(
    ('alpha', 'gamma', 'expected'),
    [
        (1 / 65536, 2.0, -0.821668),
        (0.25, 2.0, -0.399245),
        (0.25, 1.5, -0.444382),
        (0.25, 1.0, -0.497235),
    ],
)
def test_worked_values(alpha: float, gamma: float, expected: float) -> None:
    """Of three queries, a positive and two negatives each; the same for all of them."""
    similarity = torch.tensor([[1.6, 0.2, -0.6], [0.4, 0.8, 0.1], [1.0, -1.0, 0.5]]) / 2
    pull = torch.tensor([[1.0, 0, 0]] * 3)
    rows = torch.zeros(3, 2)
    anchors = Anchors(rows, torch.arange(3), 3, {}, pairs=((0, 1),))
    head = SkewRenyiHead(gamma, alpha, temperature=0.5)
    found = head.objective(anchors, [Block('batch_keys', similarity, pull=pull)])
    assert found.tolist() == pytest.approx([expected] * 3, abs=1e-6)


@pytest.mark.parametrize('part', [None, mixing(3)], ids=['plain', 'mixing'])
@pytest.mark.parametrize(('gamma', 'alpha'), [(2.0, 1 / 65536), (1.0, 0.25), (0.5, 0.0)])
@pytest.mark.parametrize('views', [([0], [1]), ([0, 1], [0, 1]), ([0, 1], [0, 1, 2])], ids=str)
def test_with_keys_of_the_batch_equals_the_loop(
    views: Any, gamma: float, alpha: float, part: Any
) -> None:
    """One bound for each set of keys, over all queries that meet it; they are added."""
    queries, keys, _ = pairs(5)
    online, target = (
        {v: rows[v] for v in n} for rows, n in zip((queries, keys), views, strict=True)
    )
    head = SkewRenyiHead(gamma, alpha, 0.5, mixing=part)
    expected = 0.0
    for j, raw in target.items():
        rows = [unit(row) for row in raw.double()]
        pulled, pushed = [], []
        for i in (i for i in online if i != j):
            for b, row in enumerate(online[i].double()):
                query = unit(row)
                others = [rows[k] for k in range(5) if k != b]
                pulled.append(dot(query, rows[b]) / 0.5)
                pushed += [dot(query, other) / 0.5 for other in others]
                pushed += [cosine / 0.5 for cosine in made(query, others, head.mixing)]
        expected += minus_bound(pulled, pushed, gamma, alpha) if pulled else 0.0
    assert loss(head, online, target) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3)])
def test_with_views_of_the_batch_equals_the_loop(size: tuple[int, int]) -> None:
    features = random_views(*size)
    rows = {(b, v): unit(features[b, v].double()) for b in range(size[0]) for v in range(size[1])}
    pulled, pushed = [], []
    for a in rows:
        for c in (c for c in rows if c != a):
            (pulled if a[0] == c[0] else pushed).append(dot(rows[a], rows[c]) / 0.3)
    head = SkewRenyiHead(2.0, 0.01, 0.3, candidates='views')
    expected = minus_bound(pulled, pushed, 2.0, 0.01)
    found = head.loss(features)
    assert float(found['loss_contrast']) == pytest.approx(expected, abs=1e-5)
    assert float(found['chance_level']) == 0


@pytest.mark.parametrize('part', [None, mixing(3)], ids=['plain', 'mixing'])
@pytest.mark.parametrize('masked', [False, True])
def test_with_a_memory_equals_the_loop(masked: bool, part: Any) -> None:
    queries, keys, samples = pairs(5)
    head = SkewRenyiHead(memory=memory(), alpha=0.01, mask_own_keys=masked, mixing=part)
    bank, indices = head.memory.features.double(), head.memory.indices.tolist()
    pulled, pushed = [], []
    for b in range(5):
        query = unit(queries[0][b].double())
        own = int(samples['sample_idx'][b])
        kept = [bank[j] for j in range(11) if not masked or indices[j] != own]
        pulled.append(dot(query, unit(keys[1][b].double())) / 0.5)
        pushed += [dot(query, row) / 0.5 for row in kept]
        pushed += [cosine / 0.5 for cosine in made(query, kept, head.mixing if part else None)]
    found = head.loss_views({0: queries[0]}, {1: keys[1]}, samples)
    expected = minus_bound(pulled, pushed, 2.0, 0.01)
    assert float(found['loss_contrast']) == pytest.approx(expected, abs=1e-5)
    assert int(head.memory.count) == 11


def test_is_exact_under_float16_autocast() -> None:
    """``e^(gamma f)`` is e^40 here, far beyond float16."""
    features = 4 * random_views(6, 2).half()
    rows = [[unit(features[b, v].double()) for v in range(2)] for b in range(6)]
    pulled = [dot(a, b) / 0.05 for a, b in rows]
    pushed = [dot(rows[b][0], rows[c][1]) / 0.05 for b in range(6) for c in range(6) if b != c]
    with torch.autocast('cpu', dtype=torch.float16):
        query = features[:, 0].clone().requires_grad_()
        found = SkewRenyiHead(temperature=0.05).loss(query, features[:, 1])['loss_contrast']
        found.backward()
    assert found.dtype == torch.float32
    assert float(found.detach()) == pytest.approx(
        minus_bound(pulled, pushed, 2.0, 1 / 65536), rel=1e-5
    )
    assert query.grad is not None and query.grad.isfinite().all()


def ranks_of_unequal_batches(rank: int) -> list[float]:
    """What each rank reports; the mean over anchors of both is the loss of the joined batch."""
    queries, keys, _ = pairs(5)
    part = slice(0, 4) if rank == 0 else slice(4, 5)
    online, target = ({view: rows[part] for view, rows in side.items()} for side in (queries, keys))
    step = SkewRenyiHead().loss_views(online, target)
    return [float(step['loss_contrast'])]


def test_the_means_are_those_of_all_ranks() -> None:
    """A rank of a single image has no negative of its own, and yet the same bound."""
    found = [result[0] for result in run_ranks(ranks_of_unequal_batches, 2)]
    queries, keys, _ = pairs(5)
    expected = loss(SkewRenyiHead(), queries, keys)
    # Each is weighted by its share of the anchors, so that their mean is the loss.
    assert found == pytest.approx([expected * 8 / 5, expected * 2 / 5], abs=1e-5)


def test_a_batch_of_one_image_has_no_negative() -> None:
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        SkewRenyiHead().loss(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        SkewRenyiHead(candidates='views').loss(torch.ones(1, 2, 3))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(gamma=0.0), 'gamma is 0.0; expected a number above 0'),
        (dict(gamma=1.0001), 'gamma is 1.0001, so near to 1 .*; expected 1 itself, or'),
        (dict(gamma=math.inf), 'gamma is inf'),
        (dict(alpha=1.0), r'alpha is 1.0; expected the share .* in \[0, 1\)'),
        (dict(alpha=-0.1), 'alpha is -0.1; expected a number of 0 or more'),
        (dict(candidates='queue'), "candidates is 'queue'; expected one of keys, views"),
        (dict(candidates='views', memory=memory()), 'there is a memory, whose rows are the cand'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SkewRenyiHead(**settings)


def test_no_skew_leaves_no_bound() -> None:
    sums = torch.tensor([[40.0, 80.0, -80.0, 0.0, 0.0]])
    assert float(skew_renyi(sums, 2.0, 0.0)) == pytest.approx(80.0)
    assert float(skew_renyi(sums, 2.0, 0.25)) == pytest.approx(math.log(2), abs=1e-5)
