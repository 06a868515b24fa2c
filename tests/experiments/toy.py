"""A small sweep for tests: a folder of noise, and results that nobody measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.measures import KNN
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite
from mochi_mm.experiments.suites import read_suite
from mochi_mm.experiments.sweep import Run, Sweep
from tests.toy_runner import REPOSITORY


def write_images(root: Path, train: int = 30, val: int = 12) -> Path:
    """Ten classes of noise, each around a gray of its own, as ``root``/cifar10."""
    rng = np.random.default_rng(0)
    for split, count in (('train', train), ('val', val)):
        for kind in range(10):
            folder = root / 'cifar10' / split / f'class{kind}'
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = 20 * kind + rng.integers(0, 60, (32, 32, 3))
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f'{i:02}.png')
    return root


def cut(name: str, epochs: int, per_class: int | None, queries: int | None = None) -> Suite:
    """A suite of the project at another budget."""
    suite = read_suite(name)
    images = dataclasses.replace(suite.images, per_class=per_class, queries_per_class=queries)
    return dataclasses.replace(suite, epochs=epochs, images=images)


def toy_sweep(tmp_path: Path, epochs: int = 2) -> Sweep:
    """The evidence over 26 of the images of each class, prepared."""
    images = tmp_path / 'images'
    if not images.exists():
        write_images(images)
    suite = cut('evidence_cpu', epochs, 26)
    sweep = Sweep('evidence_cpu', suite, REPOSITORY, tmp_path / 'sweep', images)
    sweep.prepare()
    return sweep


def two_settings(**changes: Any) -> Suite:
    """A suite of a baseline and another setting, one figure, nothing else."""
    settings = [
        Setting('a', 'A', 'configs/a.py', role='baseline'),
        Setting('b', 'B', 'configs/b.py', against='a'),
    ]
    figures = [Figure('knn/top1_k20', 'kNN (%)', 'kNN')]
    return Suite(
        **{
            **dict(title='Two', epochs=1, measures=[KNN()], figures=figures, settings=settings),
            **changes,
        }
    )


def finish(run: Run, value: Callable[[str], float], **changes: Any) -> None:
    """Write a result of invented values for ``run``, one for each figure that it would have."""
    keys = [figure.key for figure in run.sweep.suite.figures]
    if not run.setting.trained:
        keys = [key for key in keys if 'acc_' not in key and 'negatives' not in key]
    if 'mochi' not in run.setting.name:
        keys = [key for key in keys if 'synthetic' not in key]
    run.folder.mkdir(parents=True, exist_ok=True)
    result = dict(
        data=run.data,
        setting=run.setting.name,
        seed=run.seed,
        values={key: value(key) for key in keys},
        config=run.setting.config,
        commit='0123456789ab',
        commits=['0123456789ab'],
        hardware='CPU, some, 2 cores',
        versions=dict(torch='2.11'),
        date='2026-01-02',
        wall_seconds=12,
        load=[0.5, 1.5],
    )
    write_json(run.result_path, {**result, **changes})
