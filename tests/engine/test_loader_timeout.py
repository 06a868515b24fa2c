"""A loader whose worker is frozen: an error within the limit, and no process left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mochi_mm.datasets.loader_timeout import LOADER_TIMEOUT, with_timeout
from mochi_mm.engine.runners.safe_runner import SafeRunner
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import DATASETS
from tests.toy_runner import NoiseImages, runner_config


@DATASETS.register_module(force=True)
class FreezingImages(NoiseImages):
    """Freezes the worker at one image: it sleeps, or is stopped as by a signal or a dead disk."""

    def __init__(self, how: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.how = how

    def image(self, index: int) -> Image.Image:
        if index == 9 and multiprocessing.parent_process() is not None:
            if self.how == 'stopped':
                os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(600)
        return super().image(index)


@pytest.mark.parametrize('how', ['sleeping', 'stopped'])
@pytest.mark.parametrize('persistent', [True, False])
def test_a_frozen_worker_is_named_within_the_limit(
    tmp_path: Path, how: str, persistent: bool
) -> None:
    config = runner_config(tmp_path)
    config.train_dataloader.update(num_workers=2, persistent_workers=persistent, timeout=4)
    config.train_dataloader.dataset = dict(type='FreezingImages', how=how)
    runner, before = build_runner(config), multiprocessing.active_children()
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r'timed out after 4 seconds\): one of them is frozen'):
        runner.train()
    assert time.monotonic() - start < 60
    for child in set(multiprocessing.active_children()) - set(before):
        child.join(10)
        assert not child.is_alive()


def test_a_limit_where_none_is_set() -> None:
    """In the loaders of training, validation and hooks alike, and only where there are workers."""
    loader = dict(
        batch_size=2,
        dataset=dict(type='NoiseImages'),
        sampler=dict(type='KeyedSampler', shuffle=False),
    )
    assert SafeRunner.build_dataloader(dict(loader, num_workers=1)).timeout == LOADER_TIMEOUT == 900
    assert SafeRunner.build_dataloader(dict(loader, num_workers=1, timeout=7)).timeout == 7
    assert SafeRunner.build_dataloader(dict(loader, num_workers=1, timeout=0)).timeout == 0
    assert SafeRunner.build_dataloader(dict(loader, num_workers=0)).timeout == 0


def test_a_limit_without_workers() -> None:
    with pytest.raises(ValueError, match='timeout=60 and no workers'):
        with_timeout(dict(num_workers=0, timeout=60))
