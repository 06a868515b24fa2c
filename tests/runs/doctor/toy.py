"""Tiny real runs for the doctor, and what a test plants into them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.registry import DATASETS, MODELS
from tests.datasets.duplicates.test_duplicates import scene
from tests.models.algorithms.toy import PAIRS, moco_config
from tests.toy_runner import TWO_VIEWS, runner_config, train

LENGTH, BATCH = 32, 16
NECK = dict(
    type='MLPNeck',
    in_channels=32,
    hidden_channels=32,
    out_channels=16,
    norm='all',
    last_affine=False,
)
LEAKY = dict(
    backbone=dict(type='BatchMeanBackbone'),
    neck=dict(type='MLPNeck', in_channels=48, out_channels=16, num_layers=1),
    batch_shuffle='none',
    num_splits=None,
)


@DATASETS.register_module(force=True)
class SmoothImages(ImageDataset):
    """``size`` smooth pictures, each ``copies`` times."""

    classes = ('a', 'b', 'c')

    def __init__(self, size: int = 112, copies: int = 1, pipeline: Any = TWO_VIEWS) -> None:
        super().__init__(pipeline)
        self.labels = np.arange(size) % 3
        self.copies = copies

    def image(self, index: int) -> Image.Image:
        return scene(index // self.copies, 20)


@MODELS.register_module(force=True)
class SmallBackbone(nn.Sequential):
    """Two convolutions with batch norm."""

    out_channels = 32

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for width, out in ((3, 16), (16, 32)):
            layers += [nn.Conv2d(width, out, 3, 2, 1), nn.BatchNorm2d(out), nn.ReLU()]
        super().__init__(*layers)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (super().forward(images),)


@MODELS.register_module(force=True)
class BatchMeanBackbone(nn.Module):
    """All that it says of an image is the mean of its batch, which batch norm lets through.

    With ``eps`` far above the variance, batch norm is ``(x - mean) / sqrt(eps)``.
    """

    out_channels = 48

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(48, eps=1e4, affine=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        pooled = F.adaptive_avg_pool2d(images, 4).flatten(1)
        return (pooled - 100 * self.norm(pooled),)


def tiny_run(
    folder: Path, method: str, epochs: int = 8, batch_size: int = BATCH, **changes: Any
) -> Path:
    """Train on 112 images; keep two checkpoints and the config; return the work dir."""
    config = runner_config(folder, max_epochs=epochs)
    if method == 'simclr':
        config.model = dict(type='InBatchContrast', head=dict(type='NTXentHead', temperature=0.2))
    else:
        head = dict(type='ContrastiveHead')
        if method == 'mochi':
            head = dict(type='HardNegativeMixingHead', num_hard=8, mixers=PAIRS)
        head['memory'] = dict(type='FeatureQueue', length=LENGTH, dim=16)
        config.model = moco_config(mixing=False, ema_decay=0.98, head=head)
    config.model.backbone, config.model.neck = dict(type='SmallBackbone'), dict(NECK)
    for part, value in changes.pop('model', {}).items():
        config.model[part] = value
    config.train_dataloader.dataset = dict(type='SmoothImages', pipeline=TWO_VIEWS, **changes)
    config.train_dataloader.batch_size = batch_size
    config.param_scheduler = [dict(type='CosineAnnealingLR', T_max=epochs, by_epoch=True)]
    config.default_hooks.checkpoint.update(interval=max(1, epochs // 2))
    config.custom_imports = dict(imports=['tests.runs.doctor.toy'])
    train(config)
    config.dump(folder / 'config.py')
    usual_log(folder)
    return folder


def usual_log(folder: Path) -> None:
    """Write what 56 steps do not bring, and time, which no test measures: loss and times."""
    edit_log(
        folder,
        lambda line, done: line.update(
            loss_contrast=line['chance_level'] * (1 - 0.3 * done), time=0.4, data_time=0.1
        ),
    )


def edit_log(folder: Path, change: Callable[[dict[str, Any], float], Any]) -> None:
    """Change every line of the log, given the share of the run that has passed."""
    (path,) = folder.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for number, line in enumerate(lines):
        change(line, number / (len(lines) - 1))
    path.write_text(''.join(f'{json.dumps(line)}\n' for line in lines))


def edit_checkpoints(folder: Path, change: Callable[[dict[str, Tensor]], Any]) -> None:
    """Change the weights in every checkpoint of a run."""
    for path in folder.glob('epoch_*.pth'):
        content = torch.load(path, weights_only=True)
        change(content['state_dict'])
        torch.save(content, path)
        path.with_name(f'{path.name}.json').unlink(missing_ok=True)


def edit_config(folder: Path, old: str, new: str) -> None:
    """Replace a text in the config that the run left."""
    (path,) = folder.glob('*/vis_data/config.py')
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def copy_of(run: Path, folder: Path) -> Path:
    """Return a copy of a work dir, to plant something in."""
    return Path(shutil.copytree(run, folder / run.name))
