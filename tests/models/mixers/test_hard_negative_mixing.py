"""Choosing the hardest candidates of all blocks, and what is mixed of them, by loops."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.mixers import HardNegativeMixing, PairMixing, QueryMixing
from mochi_mm.randomness import StepKey
from mochi_mm.structures import Block
from tests.models.heads.toy import FixedPair, FixedQuery, synthetic
from tests.reference import dot, random_units

DIM = 5
QUERY = random_units(3, DIM, 0)
BANKS = [random_units(6, DIM, 1), random_units(4, DIM, 2)]
MASK = torch.tensor([[1, 1, 0, 1, 0, 1], [1] * 6, [0, 0, 1, 0, 0, 0]]).bool()


def block(number: int, **kwargs: Any) -> Block:
    bank = BANKS[number]
    settings: dict[str, Any] = dict(rows=bank, mixable=True)
    return Block(f'block {number}', QUERY @ bank.T, **{**settings, **kwargs})


def hardest_loop(
    blocks: list[Block], skip: int, num: int
) -> list[list[tuple[float, torch.Tensor]]]:
    """Cosine and row of the hardest mixable candidates of each anchor."""
    result = []
    for a, query in enumerate(QUERY):
        found = []
        for one in blocks:
            if one.mixable is False or one.rows is None:
                continue
            rows = one.rows if one.rows.ndim == 2 else one.rows[a]
            for j, row in enumerate(rows):
                if one.mixable is True or bool(one.mixable[a, j]):
                    found.append((dot(query, row), row))
        result.append(sorted(found, key=lambda pair: -pair[0])[skip : skip + num])
    return result


CASES: dict[str, list[Block]] = {
    'one block': [block(0)],
    'a mask': [block(0, mixable=MASK)],
    'two blocks': [block(0, mixable=MASK), block(1)],
    'one that cannot be mixed between them': [
        block(0),
        Block('own', torch.ones(3, 1), pull=1.0),
        block(1),
    ],
}


@pytest.mark.parametrize('skip', [0, 2])
@pytest.mark.parametrize('name', CASES)
def test_the_hardest_equal_the_loop(name: str, skip: int) -> None:
    """Candidates of all blocks compete; those that must not be used come last and are counted."""
    hard = HardNegativeMixing(num_hard=3, skip=skip).hardest(CASES[name])
    expected = hardest_loop(CASES[name], skip, 3)
    assert hard.index.shape == (3, 3) and not hard.similarity.requires_grad
    assert hard.count is not None and hard.count.tolist() == [len(row) for row in expected]
    for a, row in enumerate(expected):
        for place in range(3):
            if place >= len(row):
                assert float(hard.similarity[a, place]) == 0
                continue
            cosine, candidate = row[place]
            assert float(hard.similarity[a, place]) == pytest.approx(cosine, abs=1e-12)
            assert torch.equal(hard.features[a, place], candidate)


def test_anchors_with_rows_of_their_own() -> None:
    rows = torch.stack([random_units(6, DIM, 3 + a) for a in range(3)])  # (A, M, D)
    own = Block('drawn', torch.einsum('ad,amd->am', QUERY, rows), rows=rows, mixable=MASK)
    hard = HardNegativeMixing(num_hard=2).hardest([own])
    for a, row in enumerate(hardest_loop([own], 0, 2)):
        for place, (cosine, candidate) in enumerate(row):
            assert float(hard.similarity[a, place]) == pytest.approx(cosine, abs=1e-12)
            assert torch.equal(hard.features[a, place], candidate)
    with pytest.raises(ValueError, match='rows of their own for each anchor are mixed alone'):
        HardNegativeMixing(num_hard=2).hardest([own, block(0)])


@pytest.mark.parametrize('skip', [0, 1])
def test_synthetic_negatives_equal_the_loop(skip: int) -> None:
    part = HardNegativeMixing(3, skip, mixers=[FixedPair(4), FixedQuery(2), FixedPair(3)])
    blocks = CASES['two blocks']
    mixed, (made,) = part(QUERY, blocks)
    assert [mixture.name for mixture in mixed.mixtures] == [
        'FixedPair',
        'FixedQuery',
        'FixedPair_2',
    ]
    assert made.name == 'synthetic' and made.similarity.shape == (3, 9)
    assert made.pull is None and made.mixable is False
    for a, hard in enumerate(hardest_loop(blocks, skip, 3)):
        expected = synthetic(QUERY[a], [row for _, row in hard], part.mixers)
        assert made.similarity[a].tolist() == pytest.approx(expected, abs=1e-6)
        joined = torch.cat([mixture.cosines for mixture in mixed.mixtures], dim=1)
        assert joined[a].tolist() == pytest.approx(expected, abs=1e-6)


def test_an_anchor_with_nothing_to_mix_has_no_synthetic_negative() -> None:
    none = MASK & torch.tensor([[True], [True], [False]])
    part = HardNegativeMixing(2, mixers=[PairMixing(4)])
    mixed, (made,) = part(QUERY, [block(0, mixable=none)])
    assert made.dropped is not None and made.dropped.tolist() == [[False] * 4] * 2 + [[True] * 4]
    assert (mixed.mixtures[0].cosines[2] == float('-inf')).all()
    assert mixed.mixtures[0].cosines[:2].isfinite().all()


def test_rows_are_constants() -> None:
    query, bank = QUERY.clone().requires_grad_(), BANKS[0].clone().requires_grad_()
    batch = Block('batch', query @ bank.T, rows=bank, mixable=True)
    _, (made,) = HardNegativeMixing(3, mixers=[FixedPair(4), FixedQuery(2)])(query, [batch])
    made.similarity.sum().backward()
    assert query.grad is not None and query.grad.abs().sum() > 0
    assert bank.grad is None


def test_nothing_is_mixed_without_mixers_or_before_start_epoch() -> None:
    late = HardNegativeMixing(3, start_epoch=2, mixers=[FixedPair(4)])
    for part in (HardNegativeMixing(3), late):
        mixed, made = part(QUERY, [block(0)])
        assert made == [] and mixed.mixtures == () and mixed.hard.index.shape == (3, 3)
        assert not part.active
    late.set_epoch(2, 3)
    assert late.active and len(late(QUERY, [block(0)])[1]) == 1
    with pytest.raises(ValueError, match='start_epoch is 2 but the run ends after 2 epochs'):
        late.set_epoch(0, 2)
    HardNegativeMixing(3, start_epoch=2).set_epoch(0, 2)  # nothing to start


def test_plans_are_keyed_by_the_step() -> None:
    part = HardNegativeMixing(5, mixers=[PairMixing(6), QueryMixing(6)])

    def plans(key: StepKey, ambient: int) -> list[Any]:
        torch.manual_seed(ambient)
        part.set_step(key)
        mixed, _ = part(QUERY, [block(0)])
        return [(m.plan.first.tolist(), m.plan.weight.tolist()) for m in mixed.mixtures]

    assert plans(StepKey(0, 5), 1) == plans(StepKey(0, 5), 2)
    keys = (StepKey(0, 5), StepKey(0, 6), StepKey(1, 5), StepKey(0, 5, 1))
    assert len({str(plans(key, 1)) for key in keys}) == 4
    assert HardNegativeMixing(2).generator('mixing', torch.device('cpu')) is None


def test_num_hard_is_fitted_to_a_memory() -> None:
    for length, skip, expected in ((4096, 0, 1024), (11, 0, 11), (11, 3, 8), (1, 0, 1)):
        part = HardNegativeMixing(skip=skip)
        part.fit(length)
        assert part.num_hard == expected
    part = HardNegativeMixing(8, skip=3)
    part.fit(11)
    with pytest.raises(ValueError, match=r'num_hard is 8 after 3 that are skipped but .* 10 keys'):
        part.fit(10)
    with pytest.raises(ValueError, match='num_hard is 12 but the memory holds 11 keys'):
        HardNegativeMixing(12).fit(11)
    with pytest.raises(ValueError, match='two different negatives, but num_hard is 1'):
        HardNegativeMixing(mixers=[dict(type='PairMixing', num=2, distinct=True)]).fit(1)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_hard=0), 'num_hard is 0; expected an integer >= 1'),
        (dict(num_hard=True), 'num_hard is True; expected an integer >= 1'),
        (dict(skip=-1), 'skip is -1; expected an integer >= 0'),
        (dict(start_epoch=-1), 'start_epoch is -1; expected an integer >= 0'),
        (dict(start_epoch=True), 'start_epoch is True; expected an integer >= 0'),
        (
            dict(mixers=PairMixing(4)),
            r'mixers is .PairMixing.; expected a list of parts, .*\[\.\.\.\]',
        ),
        (dict(mixers=dict(type='PairMixing', num=4)), r'mixers is \{.*; expected a list of parts'),
        (dict(mixers=[torch.nn.Linear(2, 2)]), 'Linear is no mixer; expected PairMixing'),
        (dict(num_hard=1, mixers=[PairMixing(2, distinct=True)]), 'two different negatives'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HardNegativeMixing(**settings)


def test_candidates_that_cannot_be_mixed_are_refused() -> None:
    part = HardNegativeMixing(num_hard=4, skip=3)
    with pytest.raises(ValueError, match='none of the blocks own can be mixed; take mixing out'):
        part.hardest([Block('own', torch.ones(3, 1))])
    with pytest.raises(ValueError, match='num_hard is 4 and skip is 3 but there are 6 candidates'):
        part.hardest([block(0)])
    with pytest.raises(ValueError, match='a block that can be mixed has no rows'):
        HardNegativeMixing(2).hardest([block(0, rows=None)])
