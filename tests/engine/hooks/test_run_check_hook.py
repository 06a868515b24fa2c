"""What a run cannot do is said before its first iteration."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch.utils.data import BatchSampler

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.engine.hooks import RunCheckHook
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import runner_config

EPOCHS = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=2)


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


def warnings_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, accumulated: int, **settings: Any
) -> str:
    """What the hook warns of before 24 iterations of 4 images, with a schedule made for 8."""
    changes = dict(accumulative_counts=accumulated)
    config = runner_config(tmp_path, optim_wrapper=changes, param_scheduler=None)
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=24)
    config.train_dataloader.sampler = dict(type='KeyedSampler', shuffle=True, infinite=True)
    config.auto_scale_lr = dict(base_batch_size=8, enable=False)
    config.merge_from_dict(settings)
    runner = build_runner(config)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.logger.addHandler(caplog.handler)
    RunCheckHook().before_train(runner)
    lines = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    return '\n'.join(line for line in lines if 'multiply' in line)


def test_accumulation_shortens_a_schedule_in_iterations(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As documented, to reach the batch that the config is meant for; yet half as many steps."""
    text = warnings_of(tmp_path, caplog, 2)
    assert 'accumulative_counts=2: 24 iterations are 12 optimiser steps' in text
    assert 'multiply train_cfg.max_iters, val_interval, the milestones' in text
    assert text.endswith('by 2')


def test_accumulation_and_scaling_are_one_too_many(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = warnings_of(tmp_path, caplog, 2, **{'auto_scale_lr.enable': True})
    assert 'as if nothing were accumulated; expected one of the two' in text


def test_fewer_images_an_iteration_need_more_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = warnings_of(tmp_path, caplog, 1, **{'auto_scale_lr.enable': True})
    assert 'an iteration has 4 images but the schedule of this config is meant for 8' in text
    assert text.endswith('by 2')


@pytest.mark.parametrize('settings', [{'auto_scale_lr.base_batch_size': 4}, {'train_cfg': EPOCHS}])
def test_no_word_on_a_schedule_that_fits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    """The batch it is meant for, or a loop of epochs, in which steps are counted by the data."""
    assert warnings_of(tmp_path, caplog, 1, **settings) == ''
    assert 'effective batch: 4 images' in caplog.text
