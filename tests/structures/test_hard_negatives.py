"""The hardest candidates by reference: which may be used, their similarities, their rows."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.structures import HardNegatives
from tests.reference import dot, random_units

BANK = random_units(6, 4, 0)
INDEX = torch.tensor([[5, 0, 2], [1, 1, 3]])
SIMILARITY = torch.tensor([[0.9, 0.5, 0.1], [0.8, 0.0, 0.0]])


def test_without_a_count_all_may_be_used() -> None:
    hard = HardNegatives(BANK, INDEX, SIMILARITY)
    assert hard.usable().all() and hard.usable().shape == (2, 3)
    assert torch.equal(hard.masked_similarity(), SIMILARITY)


def test_a_count_bounds_each_row() -> None:
    hard = HardNegatives(BANK, INDEX, SIMILARITY, torch.tensor([3, 1]))
    assert hard.usable().tolist() == [[True] * 3, [True, False, False]]
    masked = hard.masked_similarity()
    assert torch.equal(masked[0], SIMILARITY[0])
    assert masked[1].tolist() == [SIMILARITY[1, 0].item(), -math.inf, -math.inf]
    nothing = HardNegatives(BANK, INDEX, SIMILARITY, torch.tensor([0, 0]))
    assert not nothing.usable().any()


def test_features_are_the_rows() -> None:
    features = HardNegatives(BANK, INDEX, SIMILARITY).features
    assert features.shape == (2, 3, 4)
    for b in range(2):
        for n in range(3):
            assert torch.equal(features[b, n], BANK[INDEX[b, n]])


def test_find_takes_the_nearest_rows_of_each_query() -> None:
    query = random_units(3, 4, 1).requires_grad_()
    hard = HardNegatives.find(query, BANK, 2)
    assert hard.bank is BANK and hard.count is None and not hard.similarity.requires_grad
    for b, row in enumerate(query.detach()):
        cosines = [dot(row, other) for other in BANK]
        nearest = sorted(range(6), key=lambda j: -cosines[j])[:2]
        assert hard.index[b].tolist() == nearest
        assert hard.similarity[b].tolist() == pytest.approx([cosines[j] for j in nearest])


@pytest.mark.parametrize('num_hard', [0, 7])
def test_more_than_there_are_cannot_be_found(num_hard: int) -> None:
    with pytest.raises(ValueError, match=f'num_hard is {num_hard} but the bank holds 6 rows; exp'):
        HardNegatives.find(random_units(2, 4, 1), BANK, num_hard)
