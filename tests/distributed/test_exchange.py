"""Rows exchanged among two and three processes, against indexing the joined rows."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.distributed.exchange import exchange_rows
from tests.ranks import run_ranks


def exchanged(rank: int, counts: list[int], order: torch.Tensor) -> torch.Tensor:
    rows = torch.arange(sum(counts) * 6, dtype=torch.uint8).view(-1, 2, 3)
    start = sum(counts[:rank])
    return exchange_rows(rows[start : start + counts[rank]], order, counts)


@pytest.mark.parametrize('counts', [[4, 4], [1, 5], [3, 0, 2]])
def test_equals_indexing_the_joined_rows(counts: list[int]) -> None:
    order = torch.randperm(sum(counts), generator=torch.Generator().manual_seed(1))
    rows = torch.arange(sum(counts) * 6, dtype=torch.uint8).view(-1, 2, 3)
    expected = rows[order].split(counts)
    for result, part in zip(
        run_ranks(exchanged, len(counts), counts, order), expected, strict=True
    ):
        assert torch.equal(result, part)
