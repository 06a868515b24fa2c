"""InterCLR: both terms against a loop, the sign of the margin, warm-up, writes, refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.functional.inter_draw import draw_scores
from mochi_mm.models.heads import ContrastiveHead, InterClusterHead
from mochi_mm.models.memories import ClusterBank
from mochi_mm.randomness import StepKey
from mochi_mm.structures import Views
from mochi_mm.structures.clustering import Clustering
from tests.models.heads.toy import DIM, memory, mixing, pairs
from tests.reference import dot, info_nce_loop, random_units, unit

ROWS, KEY = 11, StepKey(3, 7)
# One image alone in its cluster, one without any.
LABELS = [0, 0, 1, 1, 2, 0, 1, 3, 0, -1, 1]


def bank() -> ClusterBank:
    made = ClusterBank(ROWS, 4, DIM)
    centroids = random_units(4, DIM, 31).float()
    start = Clustering(torch.tensor(LABELS), torch.ones(ROWS), centroids)
    made.set_clusters(random_units(ROWS, DIM, 30).float(), [start])
    made.classes.copy_(torch.arange(ROWS) % 3)
    return made


def head(**kwargs: Any) -> InterClusterHead:
    settings: dict[str, Any] = dict(num_negatives=4, pool=6, temperature=0.3)
    made = InterClusterHead(memory(), bank(), **{**settings, **kwargs})
    made.set_step(KEY)
    return made


def inter_loop(one: InterClusterHead, query: torch.Tensor, index: int) -> float | None:
    """The contrast of one query with clusters, by the definition; None without a positive."""
    rows, label = one.bank.features.double(), LABELS[index]
    generator = KEY.generator('bank draws', per_rank=False)
    score = draw_scores(torch.tensor([index]), ROWS, generator, torch.device('cpu'))[0].tolist()
    q = unit(query.detach().double())
    members = [j for j in range(ROWS) if LABELS[j] == label >= 0 and j != index]
    if not members:
        return None
    cosine = [dot(q, row) for row in rows]
    positive = cosine[max(members, key=lambda j: score[j])] - one.margin
    order = sorted(range(ROWS), key=lambda j: -cosine[j])
    others = [j for j in order if LABELS[j] not in (label, -1)]
    if one.sampler == 'semi_hard':
        others = [j for j in others if j in order[: one.pool]]
    if one.sampler == 'semi_easy':
        others = [j for j in others if j in order[-one.pool :]]
    if one.sampler != 'hard':
        others.sort(key=lambda j: -score[j])
    return info_nce_loop(positive, [cosine[j] for j in others[: one.num_negatives]], 0.3)


@pytest.mark.parametrize('sampler', ['random', 'semi_hard', 'semi_easy', 'hard'])
@pytest.mark.parametrize('settings', [dict(), dict(margin=0.3, num_negatives=100, pool=100)])
def test_both_terms_equal_the_loop(sampler: str, settings: dict[str, Any]) -> None:
    one = head(sampler=sampler, inter_weight=0.4, weight=2.0, mixing=mixing(3), **settings)
    intra = ContrastiveHead(memory(), 0.3, mixing=mixing(3))
    queries, keys, samples = pairs(10)
    batch = ({0: queries[0]}, {1: keys[1]}, samples)
    expected = [inter_loop(one, q, i) for i, q in enumerate(queries[0])]
    values = [value for value in expected if value is not None]
    assert len(values) == 7
    losses = one.loss_views(*batch)
    assert float(losses['loss_inter']) == pytest.approx(0.8 * sum(values) / 7, abs=1e-6)
    plain = intra.loss_views(*batch)
    assert float(losses['loss_contrast']) == pytest.approx(1.2 * float(plain['loss_contrast']))
    assert float(losses['share_counted']) == pytest.approx(0.7)
    level = 0.6 * 2 * float(plain['chance_level'])
    assert float(losses['chance_level']) == pytest.approx(level)


def test_a_negative_margin_is_an_easier_target() -> None:
    """The odds of the positive grow by e^(0.5 / t)."""
    values = {}
    for margin in (-0.5, 0.0, 0.5):
        one = head(margin=margin, inter_weight=0.5)
        step = one.compute(Views(*pairs(1)))  # one image: one positive, one set of negatives
        values[margin] = 2 * float(step.losses['loss_inter'])
    assert values[-0.5] < values[0.0] < values[0.5]
    queries, keys, samples = pairs(1)
    one = head(margin=0.0, inter_weight=0.5)
    batch = Views({0: queries[0]}, {1: keys[1]}, samples)
    odds = [
        math.expm1(2 * float(h.compute(batch).losses['loss_inter']))
        for h in (one, head(margin=-0.5, inter_weight=0.5))
    ]
    assert odds[0] / odds[1] == pytest.approx(math.exp(0.5 / 0.3), rel=1e-4)


def test_before_its_epoch_it_is_moco_and_the_bank_is_written_all_the_same() -> None:
    one, plain = head(start_epoch=2), ContrastiveHead(memory(), 0.3)
    queries, keys, samples = pairs(4)
    for epoch in (1, 2):
        one.set_epoch(epoch, 3)
        losses = one.loss_views({0: queries[0]}, {1: keys[1]}, samples)
        expected = plain.loss_views({0: queries[0]}, {1: keys[1]}, samples)['loss_contrast']
        assert ('loss_inter' in losses) == (epoch == 2)
        factor = 1.0 if epoch < 2 else 0.75
        assert torch.equal(losses['loss_contrast'], factor * expected)
        torch.testing.assert_close(
            one.bank.features[0].double(), unit(keys[1][0].double()).float().double()
        )


def test_it_says_who_moves_and_how_right_clusters_are() -> None:
    one = head()
    queries, keys, samples = pairs(6)
    before = one.bank.labels.clone()
    step = one.compute(Views({0: queries[0]}, {1: keys[1]}, samples))
    assert torch.equal(one.bank.labels, before)
    step.commit()
    moved = (one.bank.labels[:6] != before[:6]).float().mean()
    assert float(step.statistics['share_relabeled']) == pytest.approx(float(moved))
    found = [(i, j) for i in range(6) for j in range(ROWS) if i != j and LABELS[i] == LABELS[j]]
    same = [(i, j) for i in range(6) for j in range(ROWS) if i != j and (i - j) % 3 == 0]
    right = len(set(found) & set(same))
    assert float(step.statistics['precision_found']) == pytest.approx(right / len(found))
    assert float(step.statistics['recall_found']) == pytest.approx(right / len(same))


def inter_steps(rank: int, splits: list[list[int]], queue: dict[str, Any]) -> dict[str, Any]:
    """Two steps of a rank, upkeep behind them: losses, gradients, state."""
    one, losses, grads = head(), [], []
    one.memory.load_state_dict(queue)  # which all ranks would have enqueued
    for seed, parts in enumerate(splits):
        first = sum(parts[:rank])
        own = slice(first, first + parts[rank])
        queries, keys, samples = pairs(sum(parts), seed)
        query = queries[0][own].clone().requires_grad_()
        part = {name: values[own] for name, values in samples.items()}
        results = one.loss_views({0: query}, {1: keys[1][own]}, part)
        loss = results['loss_contrast'] + results['loss_inter']
        loss.backward()
        loss = loss.detach()
        if len(parts) > 1:
            dist.all_reduce(loss)
            loss /= len(parts)
        losses.append(loss)
        grads.append(query.grad)
    one.bank.upkeep(KEY.generator('upkeep', per_rank=False))
    return dict(losses=losses, grads=grads, state=dict(one.state_dict()))


def check_ranks(ranks: list[dict[str, Any]], splits: list[list[int]]) -> None:
    """Two ranks equal one process, in loss, gradient, queue, bank and centroids."""
    whole = inter_steps(0, [[sum(parts)] for parts in splits], dict(memory().state_dict()))
    for step in range(len(splits)):
        torch.testing.assert_close(ranks[0]['losses'][step], whole['losses'][step])
        grads = torch.cat([rank['grads'][step] for rank in ranks]) / len(ranks)
        torch.testing.assert_close(grads, whole['grads'][step], rtol=1e-4, atol=1e-6)
    for name, value in whole['state'].items():
        torch.testing.assert_close(ranks[0]['state'][name], value, msg=name)
        assert torch.equal(ranks[0]['state'][name], ranks[1]['state'][name]), name


def test_what_makes_no_sense_is_refused() -> None:
    for settings, message in (
        (dict(inter_weight=1.0), r'inter_weight is 1\.0'),
        (dict(margin=3), 'margin is 3'),
        (dict(sampler='easy'), "sampler is 'easy'"),
        (dict(num_negatives=0), 'num_negatives is 0'),
    ):
        with pytest.raises(ValueError, match=message):
            head(**settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='rows of width 5 and the queue keys of width 6'):
        InterClusterHead(memory(), ClusterBank(ROWS, 4, 5))
    with pytest.raises(ValueError, match='clusters would never be used'):
        head(start_epoch=3).set_epoch(0, 3)
    queries, keys, samples = pairs(2)
    with pytest.raises(ValueError, match='holds the sample 11 but'):
        head().loss(queries[0], keys[1], dict(samples, sample_idx=torch.tensor([0, 11])))
