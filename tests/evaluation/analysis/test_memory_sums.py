"""What a batch says about the memory, against loops over queries and rows in float64."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.evaluation.analysis.as_in_training import looking
from mochi_mm.evaluation.analysis.memory_sums import Sums, add, memory_sums, scalars_of
from mochi_mm.evaluation.measures import rank_bins
from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Views
from tests.reference import dot, random_units, unit

QUERIES, ROWS, HARD, TAU = 5, 9, 4, 0.2
STEP = StepKey(3, 0)
LABELS = torch.tensor([0, 1, 0, -1, 2])
INDICES = torch.tensor([100, 101, 4, 103, 104])  # the third query's hardest row is its older key


def head(mixers: Any = (), **kwargs: Any) -> Any:
    made = MODELS.build(
        dict(
            type='ContrastiveHead',
            temperature=TAU,
            memory=dict(type='FeatureQueue', length=ROWS, dim=6),
            mixing=dict(num_hard=HARD, mixers=list(mixers)),
            **kwargs,
        )
    )
    made.memory.enqueue(
        random_units(ROWS, 6, 1).float(),
        torch.tensor([0, 0, 1, 0, 2, -1, 1, 0, 0]),
        torch.arange(ROWS),
    )
    return made


def batch() -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    query = 3 * random_units(QUERIES, 6, 2).float()
    key = query + 2 * random_units(QUERIES, 6, 3).float()
    return query, key, dict(gt_label=LABELS, sample_idx=INDICES)


def sums_of(made: Any, query: Any, key: Any, samples: Any, num: int) -> Sums:
    with looking(made, STEP):
        return memory_sums(made, Views({0: query}, {1: key}, samples), num)


def rows_of(made: Any, b: int, oracle: bool = False) -> list[int]:
    """Rows that push query b: not its own older key, not its class under an oracle."""
    allowed = [n for n in range(ROWS) if int(made.memory.indices[n]) != int(INDICES[b])]
    if oracle:
        allowed = [n for n in allowed if LABELS[b] < 0 or made.memory.labels[n] != LABELS[b]]
    return allowed


@pytest.mark.parametrize('oracle', [False, True])
@pytest.mark.parametrize('num', [1, 3, 8])
def test_without_mixers(oracle: bool, num: int) -> None:
    made = head(oracle_loss=oracle)
    if oracle:  # an oracle needs the label of every query
        LABELS_KNOWN = LABELS.clone()
        LABELS_KNOWN[3] = 7
    labels = LABELS_KNOWN if oracle else LABELS
    query, key, samples = batch()
    samples['gt_label'] = labels
    found = scalars_of(sums_of(made, query, key, samples, num))
    hits, similarity, first, mass, false, counted = 0, 0.0, 0.0, 0.0, 0, 0
    by_rank = {'1': [0, 0], '2_4': [0, 0], '5_8': [0, 0]}
    for b in range(QUERIES):
        q = unit(query[b].double())
        own = dot(q, unit(key[b].double()))
        cosine = {n: dot(q, made.memory.features[n]) for n in rows_of(made, b)}
        pushing = {
            n: c for n, c in cosine.items() if not oracle or made.memory.labels[n] != labels[b]
        }
        hits += own > max(pushing.values())
        similarity += own
        total = math.exp(own / TAU) + sum(math.exp(c / TAU) for c in pushing.values())
        sorted_ = sorted((math.exp(c / TAU) / total for c in pushing.values()), reverse=True)
        first, mass = first + sorted_[0], mass + sum(sorted_[:num])
        ranked = sorted(cosine, key=cosine.__getitem__, reverse=True)[:num]
        for rank, n in enumerate(ranked, start=1):
            if labels[b] >= 0 and made.memory.labels[n] >= 0:
                counted += 1
                same = int(labels[b] == made.memory.labels[n])
                false += same
                place = by_rank['1' if rank == 1 else '2_4' if rank <= 4 else '5_8']
                place[0], place[1] = place[0] + same, place[1] + 1
    ranks = {f'false_negatives/rank_{k}': a / max(c, 1) for k, (a, c) in by_rank.items()}
    if num < 8:
        ranks.pop('false_negatives/rank_5_8')
        two = ranks.pop('false_negatives/rank_2_4')
        ranks.update({f'false_negatives/rank_2_{num}': two} if num > 1 else {})
    assert found == pytest.approx(
        {
            'acc_contrast': hits / QUERIES,
            'sim_positive': similarity / QUERIES,
            'probability/hardest': first / QUERIES,
            'probability/all_hard': mass / QUERIES,
            'false_negatives/hardest': false / counted,
            **ranks,
        },
        rel=1e-5,
    )


def test_with_mixers() -> None:
    made = head(
        [
            dict(type='PairMixing', num=7),
            dict(type='QueryMixing', num=5),
            dict(type='PairMixing', num=2),
        ]
    )
    query, key, samples = batch()
    num = 3
    sums = sums_of(made, query, key, samples, num)
    found = scalars_of(sums)
    # The same draws, then every mixture by its definition.
    units = torch.stack([unit(q.double()) for q in query])
    cosine = units.float() @ made.memory.features.T
    for b in range(QUERIES):
        for n in set(range(ROWS)) - set(rows_of(made, b)):
            cosine[b, n] = -torch.inf
    hard = HardNegatives(made.memory.features, *select_hardest(cosine, HARD))
    generator = STEP.generator('mixing')
    counts = {f'{m}/{k}': 0 for m in ('PairMixing', 'PairMixing_2') for k in ('both', 'one')}
    counts['QueryMixing/only'] = 0
    known = dict.fromkeys(['PairMixing', 'PairMixing_2', 'QueryMixing'], 0)
    mixed: list[list[float]] = [[] for _ in range(QUERIES)]
    made_of: list[list[list[int]]] = [[] for _ in range(QUERIES)]
    for name, mixer in made.mixing.named_mixers():
        plan = mixer.plan(hard, generator)
        for b in range(QUERIES):
            for s in range(mixer.num):
                w = float(plan.weight[b, s])
                parents = [int(hard.index[b, plan.first[b, s]])]
                one = made.memory.features[parents[0]].double()
                if plan.second is None:
                    point = unit(w * units[b] + (1 - w) * one)
                else:
                    parents.append(int(hard.index[b, plan.second[b, s]]))
                    point = unit(w * one + (1 - w) * made.memory.features[parents[1]].double())
                mixed[b].append(dot(units[b], point))
                columns = [plan.first] if plan.second is None else [plan.first, plan.second]
                made_of[b].append([int(column[b, s]) for column in columns])
                classes = [int(made.memory.labels[n]) for n in parents]
                if LABELS[b] < 0 or min(classes) < 0:
                    continue
                known[name] += 1
                false = sum(c == int(LABELS[b]) for c in classes)
                if len(parents) == 1:
                    counts['QueryMixing/only'] += false
                elif false:
                    counts[f'{name}/{"both" if false == 2 else "one"}'] += 1
    for name, count in counts.items():
        share = count / known[name.split('/')[0]]
        assert found[f'false_negatives/{name}'] == pytest.approx(share), name
    hits, harder, dose = 0, 0, 0.0
    by_rank = [0.0] * HARD
    for b in range(QUERIES):
        own = dot(units[b], unit(key[b].double()))
        rows = [dot(units[b], made.memory.features[n]) for n in rows_of(made, b)]
        hits += own > max([*rows, *mixed[b]])
        harder += sum(c > max(rows) + 1e-7 for c in mixed[b])  # i = j gives a row back
        total = sum(math.exp(c / TAU) for c in [own, *rows, *mixed[b]])
        negatives = total - math.exp(own / TAU)
        dose += sum(math.exp(c / TAU) for c in mixed[b]) / negatives
        for c, parents in zip(mixed[b], made_of[b], strict=True):
            for rank in parents:
                by_rank[rank] += math.exp(c / TAU) / negatives / len(parents)
        curve = sorted((math.exp(c / TAU) / total for c in [*rows, *mixed[b]]), reverse=True)
        if b == 0:
            wanted = curve[:num]
        else:
            wanted = [a + c for a, c in zip(wanted, curve[:num], strict=True)]
    assert sums['probabilities_synthetic'].tolist() == pytest.approx(wanted, rel=1e-5)
    assert found['acc_contrast_synthetic'] == pytest.approx(hits / QUERIES)
    assert found['share_harder'] == pytest.approx(harder / QUERIES / 14)
    assert found['share_synthetic'] == pytest.approx(dose / QUERIES, rel=1e-5)
    for name, columns in rank_bins(HARD).items():
        share = sum(by_rank[columns]) / QUERIES
        assert found[f'share_synthetic_rank_{name}'] == pytest.approx(share, rel=1e-5), name


def test_sums_of_two_batches_are_those_of_one() -> None:
    made = head()
    query, key, samples = batch()
    parts = [
        sums_of(made, query[p], key[p], {n: v[p] for n, v in samples.items()}, 3)
        for p in (slice(0, 2), slice(2, None))
    ]
    whole = scalars_of(sums_of(made, query, key, samples, 3))
    assert scalars_of(add(*parts)) == pytest.approx(whole, rel=1e-6)


def test_no_known_class_gives_no_share() -> None:
    made = head()
    query, key, samples = batch()
    samples['gt_label'] = torch.full((QUERIES,), -1)
    found = scalars_of(sums_of(made, query, key, samples, 3))
    assert math.isnan(found['false_negatives/hardest'])
