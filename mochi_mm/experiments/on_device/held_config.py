"""Configs of CIFAR-10 held on the device, from packs, at a budget of epochs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config

ROOT = Path(__file__).resolve().parents[3]
HELD = ROOT / 'configs/mocov2/mocov2_resnet18_1xb512-cosine-200e_cifar10-held.py'
MOCHI = ROOT / 'configs/mochi/mochi-512-512-128_resnet18_1xb512-cosine-200e_cifar10.py'
METHODS = ('mocov2', 'mochi')
#: Of a rehearsal: a network, a batch and scenes that take no time.
TINY: dict[str, Any] = {
    'model.backbone.depth': 10,
    'model.backbone.width': 0.25,
    'model.neck.in_channels': 128,
    'model.head.memory.length': 128,
    'train_dataloader.batch_size': 16,
}
TINY_IMAGES = 64


def held_config(
    method: str,
    data: Path | None,
    epochs: int,
    seed: int,
    workers: int,
    work_dir: Path,
    split: str = 'train',
) -> Any:
    """Return the config of a run whose images lie on the device.

    Synthetic negatives begin at the twentieth part of the epochs, as in 10 of 200.

    Args:
        method: ``mocov2`` or ``mochi``.
        data: Folder with the packs ``train`` and ``val`` of CIFAR-10; None rehearses on a few
            generated scenes with a small network.
        epochs: Epochs of training, which the rate's cosine ends with.
        seed: Seed of the run.
        workers: Of the loader, which only draws: crops and colors are made on the device.
        work_dir: Folder of the run.
        split: Images that are trained on; those of ``val`` are fewer, and decoded sooner.
    """
    options = dict(TINY) if data is None else {}
    options |= {
        'train_cfg.max_epochs': epochs,
        'randomness.seed': seed,
        'work_dir': str(work_dir),
        'train_dataloader.num_workers': workers,
        'train_dataloader.persistent_workers': workers > 0,
        'default_hooks.checkpoint.interval': 10**6,
    }
    config = load_config(HELD, options)
    if method == 'mochi':
        head = load_config(MOCHI).model.head
        head.update(start_epoch=epochs // 20, memory=config.model.head.memory)
        if data is None:
            head.num_hard = 16
        config.model.head = head
    config.train_dataloader.dataset.dataset = images(data, split)
    (knn,) = (hook for hook in config.custom_hooks if hook.type == 'KNNHook')
    knn.interval = (epochs + 1) // 2
    for loader, part in ((knn.bank_dataloader, 'train'), (knn.query_dataloader, 'val')):
        loader.dataset = dict(images(data, part), pipeline=[dict(type='PackInputs')])
        loader.num_workers = workers
    config.experiment_name = f'{work_dir.name}_{os.getpid()}'
    check_config(config)
    return config


def images(data: Path | None, split: str) -> dict[str, Any]:
    """Return the config of the images of a split."""
    if data is None:
        return dict(type='ShapeScenes', num_scenes=TINY_IMAGES, image_size=32, split=split)
    return dict(type='PackedImages', data_root=str(data), split=split)
