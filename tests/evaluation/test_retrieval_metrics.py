"""Figures of a ranking: worked values, and the definitions one place at a time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.evaluation.retrieval_metrics import (
    average_precision_at_r,
    average_precisions,
    found_any,
    positive_ranks,
    r_precision,
    share_found,
)


def by_definition(order: list[bool], k: int) -> dict[str, float]:
    """Figures of one ranking, which holds whether each candidate is a positive, nearest first."""
    places = [r for r, positive in enumerate(order) if positive]
    total = len(places)
    plain = trapezoid = at_r = 0.0
    for j, r in enumerate(places):
        plain += (j + 1) / (r + 1) / total
        trapezoid += ((j / r if r else 1.0) + (j + 1) / (r + 1)) / (2 * total)
        at_r += (j + 1) / (r + 1) / total if r < total else 0.0
    return dict(
        plain=plain,
        trapezoid=trapezoid,
        at_r=at_r,
        r_precision=sum(r < total for r in places) / max(total, 1),
        any=float(any(r < k for r in places)),
        found=sum(r < k for r in places) / max(total, 1),
    )


def figures(ranks: Tensor, numbers: Tensor, k: int) -> dict[str, list[float]]:
    return dict(
        plain=average_precisions(ranks, numbers).tolist(),
        trapezoid=average_precisions(ranks, numbers, 'trapezoid').tolist(),
        at_r=average_precision_at_r(ranks, numbers).tolist(),
        r_precision=r_precision(ranks, numbers).tolist(),
        any=found_any(ranks, numbers, k).tolist(),
        found=share_found(ranks, numbers, k).tolist(),
    )


def ranked(order: list[int], junk: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    falling = torch.linspace(1, 0, len(order))[None]
    ignored = torch.tensor([[place in junk for place in range(len(order))]])
    return positive_ranks(falling, torch.tensor([order]).bool(), ignored)


def test_worked_values() -> None:
    found = figures(*ranked([1, 0, 1, 1, 0]), 1)
    assert found['trapezoid'] == pytest.approx([0.763889], abs=1e-6)
    assert found['plain'] == pytest.approx([0.805556], abs=1e-6)
    without_junk = figures(*ranked([1, 0, 1, 1, 0], junk=(1,)), 1)
    assert without_junk['trapezoid'] == without_junk['plain'] == [1.0]
    second = figures(*ranked([0, 1, 0]), 1)
    assert (second['trapezoid'], second['plain']) == ([0.25], [0.5])


@pytest.mark.parametrize(('queries', 'candidates'), [(1, 1), (4, 7), (9, 30)])
@pytest.mark.parametrize('k', [1, 5])
def test_equals_the_definition(queries: int, candidates: int, k: int) -> None:
    generator = torch.Generator().manual_seed(candidates)
    similarity = torch.rand(queries, candidates, generator=generator)
    relevant = torch.rand(queries, candidates, generator=generator) < 0.4
    ignored = torch.rand(queries, candidates, generator=generator) < 0.2
    found = figures(*positive_ranks(similarity, relevant, ignored), k)
    for q in range(queries):
        kept = [m for m in range(candidates) if not ignored[q, m]]
        kept.sort(key=lambda m, q=q: -float(similarity[q, m]))
        expected = by_definition([bool(relevant[q, m]) for m in kept], k)
        for name, value in expected.items():
            assert math.isclose(found[name][q], value, abs_tol=1e-12), name


def test_what_is_as_near_as_a_negative_stands_behind_it() -> None:
    """All alike: every positive behind all negatives, whatever their order."""
    relevant = torch.tensor([[True, True, False, False, False], [False, False, True, True, False]])
    ranks, numbers = positive_ranks(torch.ones(2, 5), relevant)
    assert ranks.tolist() == [[3, 4], [3, 4]] and numbers.tolist() == [2, 2]


def test_a_query_without_a_positive_finds_nothing() -> None:
    ranks, numbers = positive_ranks(torch.rand(2, 3), torch.tensor([[True] * 3, [False] * 3]))
    assert numbers.tolist() == [3, 0]
    assert all(values[1] == 0 for values in figures(ranks, numbers, 3).values())


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="method is 'mean'; expected one of plain, trapezoid"):
        average_precisions(*ranked([1, 0]), 'mean')
