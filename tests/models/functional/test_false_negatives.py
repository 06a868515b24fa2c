"""Scores of candidates and which of them are found, by loops."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.false_negatives import (
    find_false_negatives,
    find_nearest_share,
    support_scores,
)
from tests.reference import dot, random_units


@pytest.mark.parametrize('aggregate', ['max', 'mean'])
@pytest.mark.parametrize('views', [1, 2, 5])
def test_scores(views: int, aggregate: str) -> None:
    support = random_units(3 * views, 4, 0).unflatten(0, (3, views)).requires_grad_()
    candidates = random_units(7, 4, 1).requires_grad_()
    scores = support_scores(support, candidates, aggregate)
    assert not scores.requires_grad and scores.shape == (3, 7)
    for b in range(3):
        for m in range(7):
            cosines = [dot(view.detach(), candidates[m].detach()) for view in support[b]]
            expected = max(cosines) if aggregate == 'max' else sum(cosines) / views
            assert float(scores[b, m]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('threshold', [None, 0.1, 0.9])
@pytest.mark.parametrize('top_k', [None, 1, 3, 100])
def test_found(top_k: int | None, threshold: float | None) -> None:
    scores = random_units(4, 9, 0)
    scores[0, 2], scores[1] = -torch.inf, -torch.inf
    found = find_false_negatives(scores, top_k, threshold)
    for b in range(4):
        ranked = sorted(range(9), key=lambda m: -float(scores[b, m]))[:top_k]
        least = -torch.inf if threshold is None else threshold
        expected = {m for m in ranked if float(scores[b, m]) > least}
        assert set(found[b].nonzero().flatten().tolist()) == expected
    assert not found[1].any() and not found[0, 2]


@pytest.mark.parametrize('share', [0.0, 0.05, 0.3, 0.5, 1.0])
def test_the_nearest_share_of_those_that_can_be_found(share: float) -> None:
    scores = random_units(5, 10, 0).float()
    scores[1], scores[2, ::2], scores[3, 1:] = -torch.inf, -torch.inf, -torch.inf
    found = find_nearest_share(scores, share)
    for b in range(5):
        possible = [m for m in range(10) if float(scores[b, m]) > -torch.inf]
        number = int(share * len(possible) + 1e-9)
        expected = set(sorted(possible, key=lambda m: -float(scores[b, m]))[:number])
        assert set(found[b].nonzero().flatten().tolist()) == expected
    assert int(find_nearest_share(scores[:1], 0.3).sum()) == 3
