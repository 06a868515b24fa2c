"""A small sweep for tests: a folder of noise, and results that nobody measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.sweep import Run, Sweep


def write_images(root: Path, train: int = 30, val: int = 12) -> Path:
    """Ten classes of noise, each around a grey of its own, as ``root``/cifar10."""
    rng = np.random.default_rng(0)
    for split, count in (('train', train), ('val', val)):
        for kind in range(10):
            folder = root / 'cifar10' / split / f'class{kind}'
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = 20 * kind + rng.integers(0, 60, (32, 32, 3))
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f'{i:02}.png')
    return root


def toy_sweep(tmp_path: Path, epochs: int = 2) -> Sweep:
    """A sweep over 26 of the images of each class, prepared."""
    images = tmp_path / 'images'
    if not images.exists():
        write_images(images)
    sweep = Sweep('cpu', tmp_path / 'sweep', images, epochs, 26)
    sweep.prepare()
    return sweep


def finish(run: Run, value: Callable[[str], float], **changes: Any) -> None:
    """Write a result of invented values for ``run``."""
    keys = ['knn/top1_k20', 'fast_linear/top1', 'alignment/class/backbone']
    keys += ['uniformity/backbone', 'uniformity/neck']
    if run.setting.role != 'untrained':
        keys += ['acc_contrast', 'false_negatives/hardest']
    if run.setting.triple:
        keys.append('acc_contrast_synthetic')
    run.folder.mkdir(parents=True, exist_ok=True)
    result = dict(
        data=run.data,
        setting=run.setting.name,
        seed=run.seed,
        values={key: value(key) for key in keys},
        config=run.setting.config,
        commit='0123456789ab',
        hardware='CPU, some, 2 cores',
        versions=dict(torch='2.11'),
        date='2026-01-02',
    )
    write_json(run.result_path, {**result, **changes})
