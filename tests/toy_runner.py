"""A Runner on a few random images, for tests of what happens around a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import DATASETS
from tests.models.algorithms.toy import moco_config

REPOSITORY = Path(__file__).resolve().parents[1]
VIEW = [
    dict(type='RandomResizedCrop', size=16, scale=(0.5, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomFlip', prob=0.5),
]
TWO_VIEWS = [dict(type='MultiView', transforms=[VIEW], num_views=[2]), dict(type='PackInputs')]


@DATASETS.register_module(force=True)
class NoiseImages(ImageDataset):
    """``size`` images of noise in three classes."""

    classes = ('a', 'b', 'c')

    def __init__(self, size: int = 16, pipeline: Any = TWO_VIEWS) -> None:
        super().__init__(pipeline)
        self.labels = np.arange(size) % 3

    def image(self, index: int) -> Image.Image:
        pixels = np.random.default_rng(index).integers(0, 256, (20, 20, 3), dtype=np.uint8)
        return Image.fromarray(pixels)


def runner_config(work_dir: Path, max_epochs: int = 2, size: int = 16, **changes: Any) -> Config:
    """The project's runtime with a toy model: 4 steps an epoch."""
    config = Config.fromfile(str(REPOSITORY / 'configs/_base_/default_runtime.py'))
    config.merge_from_dict(
        dict(
            work_dir=str(work_dir),
            model=moco_config(),
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=max_epochs),
            optim_wrapper=dict(
                type='OptimWrapper',
                optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
            ),
            param_scheduler=[dict(type='CosineAnnealingLR', T_max=4, by_epoch=True)],
            default_hooks=dict(
                logger=dict(interval=1), checkpoint=dict(interval=1, max_keep_ckpts=-1)
            ),
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                drop_last=True,
                sampler=dict(type='KeyedSampler', shuffle=True),
                collate_fn=dict(type='default_collate'),
                dataset=dict(type='NoiseImages', size=size),
            ),
            env_cfg=dict(dist_cfg=dict(backend='gloo')),
            experiment_name=f'{work_dir.name}_{id(work_dir)}',
        )
    )
    config.merge_from_dict(changes)
    return config


def train(config: Config) -> Any:
    """Train and return the runner."""
    runner = build_runner(config)
    runner.train()
    return runner
