"""The helper that other tests run their ranks with."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist

from mochi_mm.distributed.rows import row_counts
from tests.ranks import run_ranks


def _sum_of_ranks(rank: int, start: int) -> dict[str, object]:
    total = torch.tensor(start + rank)
    dist.all_reduce(total)
    with torch.device('meta'):  # as an accelerator: nobody may wait for what lies there
        counts = row_counts(rank + 1)
    return dict(rank=rank, total=int(total), rows=torch.full((rank + 1,), rank), counts=counts)


def _second_fails(rank: int) -> None:
    if rank == 1:
        raise KeyError('rank one')
    dist.barrier()


def test_results_come_back_in_rank_order() -> None:
    results = run_ranks(_sum_of_ranks, 2, 10)
    assert [r['rank'] for r in results] == [0, 1]
    assert [r['total'] for r in results] == [21, 21]
    assert [r['rows'].tolist() for r in results] == [[0], [1, 1]]
    assert [r['counts'] for r in results] == [[1, 2]] * 2


def test_an_error_keeps_its_type() -> None:
    with pytest.raises(KeyError, match='rank one'):
        run_ranks(_second_fails, 2)
