"""A loader whose worker is frozen: an error within the limit, and no process left."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from mmengine.registry import init_default_scope
from PIL import Image

from mochi_mm.datasets.loader_timeout import (
    LOADER_TIMEOUT,
    FrozenWorkerError,
    frozen_workers_named,
    with_timeout,
)
from mochi_mm.engine.runners.safe_runner import SafeRunner
from mochi_mm.evaluation.features import extract_features
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import DATASETS
from tests.models.algorithms.toy import build_moco
from tests.toy_runner import REPOSITORY, NoiseImages, runner_config


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
    init_default_scope('mochi_mm')
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


def images_that_freeze(**settings: Any) -> dict[str, Any]:
    pipeline = [dict(type='Resize', size=16), dict(type='CenterCrop', size=16)]
    dataset = dict(
        type='FreezingImages', how='sleeping', pipeline=[*pipeline, dict(type='PackInputs')]
    )
    return dict(
        batch_size=4,
        num_workers=1,
        dataset=dataset,
        sampler=dict(type='KeyedSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        **settings,
    )


def test_a_measurement_outside_of_a_run_names_it_too() -> None:
    """As kNN, the fast probe, an analysis and a sweep measure: without a runner around them."""
    init_default_scope('mochi_mm')
    model = build_moco().eval()
    loader = SafeRunner.build_dataloader(images_that_freeze(timeout=2), seed=0)
    before = multiprocessing.active_children()
    with pytest.raises(FrozenWorkerError, match='one of them is frozen') as error:
        extract_features(model, loader, progress=False)
    assert str(error.value).count('one of them is frozen') == 1  # said once, within a run as well
    with pytest.raises(FrozenWorkerError) as again, frozen_workers_named():
        raise error.value
    assert again.value is error.value
    assert not set(multiprocessing.active_children()) - set(before)


def test_the_loaders_of_sweeps_wait_as_those_of_runs_do(tmp_path: Path) -> None:
    init_default_scope('mochi_mm')
    subject = Subject(build_moco(), None, tmp_path, 0, tmp_path)
    assert subject.build(images_that_freeze()).timeout == LOADER_TIMEOUT
    assert subject.build(images_that_freeze(timeout=7)).timeout == 7


def test_nobody_builds_a_loader_that_waits_for_ever() -> None:
    """The engine's own function knows no limit; the runner of this project alone calls it."""
    files = [*REPOSITORY.glob('mochi_mm/**/*.py'), *REPOSITORY.glob('tools/**/*.py')]
    found = [p.name for p in files if re.search(r'\bRunner\.build_dataloader', p.read_text())]
    assert found == ['safe_runner.py']
