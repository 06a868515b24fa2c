"""What a run cannot do is said before its first iteration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch.utils.data import BatchSampler

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.engine.hooks import RunCheckHook


def loader(size: int, ranks: int, batch: int, drop_last: bool, **settings: Any) -> Any:
    sampler = KeyedSampler(range(size), seed=0, **settings)
    sampler.world_size = ranks
    return SimpleNamespace(batch_sampler=BatchSampler(sampler, batch, drop_last), sampler=sampler)


@pytest.mark.parametrize('batch', [1, 2, 4])
@pytest.mark.parametrize('drop_last', [False, True])
@pytest.mark.parametrize('ranks', [1, 2, 3])
@pytest.mark.parametrize('size', range(6, 14))
def test_ranks_with_different_numbers_of_batches_are_refused(
    size: int, ranks: int, drop_last: bool, batch: int
) -> None:
    found = loader(size, ranks, batch, drop_last, round_up=False)
    counts = set()
    for found.sampler.rank in range(ranks):
        counts.add(len(list(found.batch_sampler)))
    if len(counts) > 1:
        with pytest.raises(ValueError, match=r'train_dataloader\.sampler\.round_up=True'):
            RunCheckHook._check_ranks(found)
    else:
        RunCheckHook._check_ranks(found)
    RunCheckHook._check_ranks(loader(size, ranks, batch, drop_last))


def test_it_looks_before_training() -> None:
    runner = SimpleNamespace(train_dataloader=loader(9, 2, 4, False, round_up=False))
    runner.train_dataloader.batch_size = 4
    with pytest.raises(ValueError, match='2 batches an epoch to some of the 2 ranks and 1'):
        RunCheckHook().before_train(runner)
