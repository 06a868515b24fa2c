"""Which candidates are found, by a loop; which views score; what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.finders import FalseNegativeFinder
from tests.reference import dot, random_units


@pytest.mark.parametrize('aggregate', ['max', 'mean'])
@pytest.mark.parametrize(('top_k', 'threshold'), [(2, None), (None, 0.2), (3, 0.1), (50, -1.0)])
@pytest.mark.parametrize('views', [1, 3])
def test_finds_the_nearest_above_the_threshold(
    views: int, top_k: int | None, threshold: float | None, aggregate: str
) -> None:
    finder = FalseNegativeFinder(1, 'full', top_k, threshold, aggregate)
    scoring = random_units(4 * views, 5, 0).unflatten(0, (4, views))
    candidates = random_units(9, 5, 1).requires_grad_()
    excluded = torch.eye(4, 9).bool()
    found = finder(scoring, candidates, excluded)
    assert found.dtype == torch.bool and not found.requires_grad
    for b in range(4):
        scores = {}
        for j in (j for j in range(9) if j != b):
            cosines = [dot(view, candidates[j].detach()) for view in scoring[b]]
            scores[j] = max(cosines) if aggregate == 'max' else sum(cosines) / views
        ranked = sorted(scores, key=lambda j: -scores[j])[:top_k]
        expected = {j for j in ranked if threshold is None or scores[j] > threshold}
        assert set(found[b].nonzero().flatten().tolist()) == expected


def test_support_views_are_the_last() -> None:
    full, score = (FalseNegativeFinder(2, support) for support in ('full', 'score'))
    assert full.contrasted([0, 1, 2, 3]) == full.scoring([0, 1, 2, 3]) == [0, 1, 2, 3]
    assert score.contrasted([0, 1, 2, 3]) == [0, 1] and score.scoring([0, 1, 2, 3]) == [2, 3]
    for one in (full, score):
        with pytest.raises(ValueError, match='got 3 views of each image, too few for 2 support'):
            one.contrasted([0, 1, 2])


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_support=0), 'num_support is 0; expected an integer >= 1, such as 8'),
        (dict(num_support=True), 'num_support is True; expected an integer >= 1, such as 8'),
        (dict(num_support=2.0), 'num_support is 2.0; expected an integer >= 1, such as 8'),
        (dict(top_k=None, threshold=None), 'both None'),
        (dict(top_k=True), 'top_k is True; expected an integer >= 1, such as 10'),
        (dict(top_k=0), 'top_k is 0; expected an integer >= 1, such as 10'),
        (dict(threshold='0.7'), r"threshold is '0.7'; expected a cosine in \[-1, 1\), or None"),
        (dict(threshold=True), r'threshold is True; expected a cosine in \[-1, 1\), or None'),
        (dict(threshold=math.nan), r'threshold is nan; expected a cosine in \[-1, 1\), or None'),
        (dict(threshold=1.0), r'threshold is 1.0; expected a cosine in \[-1, 1\), or None'),
        (dict(support='half'), "support is 'half'; expected one of full, score"),
        (dict(aggregate='sum'), "aggregate is 'sum'; expected one of max, mean"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FalseNegativeFinder(**settings)
