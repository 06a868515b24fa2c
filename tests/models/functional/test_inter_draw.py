"""Draws from a bank: who may be drawn, how often, the same for any rank."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.inter_draw import draw_negatives, draw_positive, draw_scores
from tests.reference import random_units

N = 12


def scores(indices: list[int], seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return draw_scores(torch.tensor(indices), N, generator, torch.device('cpu'))


def test_a_draw_depends_on_the_index_alone() -> None:
    whole = scores([3, 7, 1])
    assert torch.equal(whole[2:], scores([1])) and torch.equal(whole[:2], scores([3, 7]))
    assert not torch.equal(whole[0], whole[1])
    assert float(whole.min()) >= 0 and float(whole.max()) < 1


def test_positives_are_drawn_evenly() -> None:
    member = torch.zeros(1, N, dtype=torch.bool)
    member[0, [2, 5, 6]] = True
    rows = [int(draw_positive(scores([4], seed), member)[0]) for seed in range(1500)]
    shares = [rows.count(row) / 1500 for row in (2, 5, 6)]
    assert sum(shares) == 1 and shares == pytest.approx([1 / 3] * 3, abs=0.05)
    _, there = draw_positive(scores([4]), torch.zeros_like(member))
    assert not bool(there)


@pytest.mark.parametrize('sampler', ['random', 'semi_hard', 'semi_easy', 'hard'])
@pytest.mark.parametrize(('num', 'pool'), [(1, 1), (3, 5), (4, 100), (100, 7), (100, 100)])
def test_negatives_come_from_their_pool(sampler: str, num: int, pool: int) -> None:
    """Each once, none of the anchor's cluster; fewer than asked for where there are no more."""
    cosine = random_units(3, 8, 1).float() @ random_units(N, 8, 2).float().T
    other = torch.rand(3, N, generator=torch.Generator().manual_seed(5)) < 0.6
    other[2] = False  # all rows are of the anchor's cluster: it has no negative
    rows, usable = draw_negatives(cosine, scores([0, 1, 2]), other, num, pool, sampler)
    for a in range(3):
        order = sorted(range(N), key=lambda j: -float(cosine[a, j]))
        allowed = [j for j in order if other[a, j]]
        if sampler == 'hard':
            expected = allowed[:num]
        elif sampler == 'random':
            expected = allowed
        else:
            within = order[:pool] if sampler == 'semi_hard' else order[::-1][:pool]
            expected = [j for j in allowed if j in within]
        drawn = rows[a][usable[a]].tolist()
        assert len(set(drawn)) == len(drawn) == min(num, len(expected))
        assert set(drawn) <= set(expected)
    assert not bool(usable[2].any())
