"""IFND in the batch and with a memory: worked values, loops, granularities, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.clusters import nearest_centroids
from mochi_mm.models.heads import ContrastiveHead, NTXentHead, PseudoLabelHead
from mochi_mm.models.memories import FeatureQueue, PseudoLabels
from mochi_mm.structures import Views
from mochi_mm.structures.clustering import Clustering
from tests.models.functional.test_clusters import FEATURES
from tests.models.heads.toy import T, memory, mixing, pairs, pairs_loop, synthetic
from tests.reference import dot, random_units, unit


def pseudo(*labels: list[int]) -> PseudoLabels:
    """Accepted labels of each image, in each granularity."""
    made = PseudoLabels(len(labels[0]), [2] * len(labels))
    for table, values in zip(made.accepted(), labels, strict=True):
        table.copy_(torch.tensor(values))
    return made


COARSE = [0, 0, 1, 1, 0, -1, 1, 0, -1, -1, -1]
FINE = [0, 1, 2, 2, 0, 1, -1, -1, 3, 3, -1]


@pytest.mark.parametrize(
    ('share', 'strategy', 'value'),
    [
        (0.0, 'eliminate', 2.114517),
        (0.0, 'attract', 2.114517),
        (2 / 3, 'eliminate', 1.842405),
        (2 / 3, 'attract', 1.774517),
        (1.0, 'eliminate', 1.279104),
        (1.0, 'attract', 1.554517),
    ],
)
def test_worked_values(share: float, strategy: str, value: float) -> None:
    features = torch.tensor(FEATURES)
    labels = PseudoLabels(6, [2], largest=1.0)
    labels.set_clusters(
        features, [Clustering(*nearest_centroids(features, torch.eye(2)), torch.eye(2))]
    )
    labels.accept(share)
    queue = FeatureQueue(4, 2)
    queue.enqueue(features[[1, 2, 3, 5]], indices=torch.tensor([1, 2, 3, 5]))
    head = PseudoLabelHead(labels, strategy, memory=queue)
    query, key = torch.tensor([[0.8, 0.6]]), torch.tensor([[1.0, 0.0]])
    losses = head.loss(query, key, dict(sample_idx=torch.tensor([0])))
    assert float(losses['loss_contrast']) == pytest.approx(value, abs=1e-6)


def batch_loop(head: Any, features: Tensor, indices: list[int], labels: list[int]) -> float:
    """The mean over anchors, by the definition."""
    images, views, _ = features.shape
    z = {(i, v): unit(features[i, v].double()) for i in range(images) for v in range(views)}
    losses = []
    for i, v in z:
        mine = labels[indices[i]]
        found = {c for c in z if c[0] != i and mine >= 0 and labels[indices[c[0]]] == mine}
        kept = [c for c in z if c != (i, v)]
        kept = [c for c in kept if not (head.strategy == 'eliminate' and c in found)]
        pull = [c for c in kept if c[0] == i or (head.strategy == 'attract' and c in found)]
        cosine = {c: dot(z[i, v], z[c]) for c in kept}
        push = list(cosine.values())
        if head.mixing is not None:
            hard = sorted((c for c in kept if c not in pull), key=lambda c: -cosine[c])
            hard = [c for c in hard if c not in found][: head.mixing.num_hard]
            push += synthetic(z[i, v], [z[c] for c in hard], head.mixing.mixers)
        total = math.log(sum(math.exp(c / head.temperature) for c in push))
        losses.append(total - sum(cosine[c] for c in pull) / len(pull) / head.temperature)
    return sum(losses) / len(losses)


@pytest.mark.parametrize('strategy', ['attract', 'eliminate', 'none'])
@pytest.mark.parametrize('labels', [[COARSE], [COARSE, FINE]])
@pytest.mark.parametrize(('images', 'views', 'part'), [(2, 2, None), (5, 3, None), (6, 2, 3)])
def test_in_the_batch_equals_the_loop(
    strategy: str, labels: list[list[int]], images: int, views: int, part: int | None
) -> None:
    part = part and mixing(part) if strategy != 'none' else None
    head = PseudoLabelHead(pseudo(*labels), strategy, 0.3, mixing=part)
    features = 3 * random_units(images * views, 6, 11).float().unflatten(0, (images, views))
    indices = [(3 * i + 1) % 11 for i in range(images)]
    expected = [batch_loop(head, features, indices, values) for values in labels]
    losses = head.loss(features, dict(sample_idx=torch.tensor(indices)))
    value = sum(expected) / len(expected)
    assert float(losses['loss_contrast']) == pytest.approx(value, abs=2e-6)


WITH_MEMORY: dict[str, dict[str, Any]] = {
    'eliminate': dict(),
    'attract': dict(strategy='attract'),
    'attract, own masked': dict(strategy='attract', mask_own_keys=True),
    'eliminate, mixing': dict(mixing=mixing(3)),
    'attract, mixing, oracle': dict(strategy='attract', mixing=mixing(2), oracle_mix=True),
}


@pytest.mark.parametrize('size', [1, 7])
@pytest.mark.parametrize('name', WITH_MEMORY)
def test_with_a_memory_equals_the_loop(name: str, size: int) -> None:
    """What has the anchor's label is not mixed either."""
    head = PseudoLabelHead(pseudo(COARSE), memory=memory(), **WITH_MEMORY[name])
    queries, keys, samples = pairs(size)
    indices = head.memory.indices.tolist()

    def roles(image: int, own: Any) -> Any:
        mine = COARSE[int(samples['sample_idx'][image])]
        found = {j for j, i in enumerate(indices) if i >= 0 and 0 <= mine == COARSE[i]}
        if head.strategy == 'attract':
            return dict.fromkeys(found, 1.0), set(), found
        return {}, found, found

    expected = pairs_loop(head, queries, keys, samples, roles)
    value = head.loss_views(queries, keys, samples)['loss_contrast']
    assert float(value) == pytest.approx(expected, abs=2e-6)


def test_several_granularities_are_the_mean_of_their_losses() -> None:
    queries, keys, samples = pairs(5)
    steps = [
        PseudoLabelHead(pseudo(*labels), 'attract', memory=memory(), mixing=mixing(3)).compute(
            Views(queries, keys, samples)
        )
        for labels in ([COARSE], [FINE], [COARSE, FINE])
    ]
    for name, value in steps[2].results().items():
        parts = [float(step.results()[name]) for step in steps[:2]]
        assert float(value) == pytest.approx(sum(parts) / 2, abs=1e-6), name
    assert len(steps[2].writes) == 1


def test_without_accepted_labels_it_is_the_plain_objective_bit_for_bit() -> None:
    nothing = [-1] * 11
    queries, keys, samples = pairs(4)
    plain = ContrastiveHead(memory(), T).loss_views(queries, keys, samples)
    head = PseudoLabelHead(pseudo(nothing), 'eliminate', T, memory())
    assert torch.equal(
        head.loss_views(queries, keys, samples)['loss_contrast'], plain['loss_contrast']
    )
    features = random_units(8, 6, 3).float().unflatten(0, (4, 2))
    losses = PseudoLabelHead(pseudo(nothing), 'attract').loss(features, samples)
    assert torch.equal(losses['loss_contrast'], NTXentHead().loss(features)['loss_contrast'])
    assert float(losses['share_found']) == float(losses['precision_found']) == 0


def test_relabeling_reaches_queued_keys() -> None:
    head = PseudoLabelHead(pseudo(COARSE), memory=memory())
    queries, keys, samples = pairs(3)
    before = head.compute(Views(queries, keys, samples))
    head.pseudo_labels.accepted()[0].copy_(torch.tensor(FINE))
    after = head.compute(Views(queries, keys, samples))
    other = PseudoLabelHead(pseudo(FINE), memory=memory()).compute(Views(queries, keys, samples))
    assert torch.equal(after.losses['loss_contrast'], other.losses['loss_contrast'])
    assert not torch.equal(after.losses['loss_contrast'], before.losses['loss_contrast'])


@pytest.mark.parametrize('with_memory', [True, False])
def test_rightness_equals_the_loop(with_memory: bool) -> None:
    """By classes that leave the loss as it is, -1 among them."""
    labels = pseudo(COARSE)
    samples = dict(sample_idx=torch.arange(6), gt_label=torch.tensor([0, 1, 1, 0, -1, 0]))
    if with_memory:
        head = PseudoLabelHead(labels, memory=memory())
        held = head.memory
        rows = list(zip(held.indices.tolist(), held.labels.tolist(), strict=True))
        queries = {0: random_units(6, 6, 1).float()}
        batch: Any = (queries, {1: random_units(6, 6, 2).float()})
    else:
        head = PseudoLabelHead(labels)
        rows = [(i, int(samples['gt_label'][i])) for i in range(6) for _ in range(2)]
        batch = ({v: random_units(6, 6, v).float() for v in range(2)}, {})
    right = found = same = every = 0
    for i in range(6):
        mine = int(samples['gt_label'][i])
        for j, c in rows:
            if not with_memory and i == j:
                continue
            marked = j >= 0 and 0 <= COARSE[i] == COARSE[j]
            every += marked
            if min(c, mine) >= 0:
                found, same = found + marked, same + (c == mine)
                right += marked and c == mine
    stats = head.compute(Views(*batch, samples)).statistics
    assert float(stats['precision_found']) == pytest.approx(right / found)
    assert float(stats['recall_found']) == pytest.approx(right / same)
    assert float(stats['share_found']) == pytest.approx(every / (6 * len(rows)))
    other = dict(samples, gt_label=torch.zeros(6, dtype=torch.int64))
    losses = [head.compute(Views(*batch, s)).losses['loss_contrast'] for s in (samples, other)]
    assert torch.equal(*losses)
    unlabeled = head.compute(Views(*batch, dict(sample_idx=torch.arange(6)))).statistics
    assert 'precision_found' not in unlabeled and 'share_found' in unlabeled


def test_what_it_cannot_work_with_is_refused() -> None:
    with pytest.raises(ValueError, match='take it out'):
        PseudoLabelHead(pseudo(COARSE), table=dict(length=11))
    with pytest.raises(ValueError, match="strategy is 'ignore'"):
        PseudoLabelHead(pseudo(COARSE), 'ignore')
    for samples in ({}, dict(sample_idx=torch.tensor([0, -1]))):
        with pytest.raises(ValueError, match='PseudoLabelHead needs sample_idx'):
            PseudoLabelHead(pseudo(COARSE)).loss(torch.randn(2, 2, 4), samples)
