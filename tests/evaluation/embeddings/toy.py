"""A folder of small pictures at several depths, and a tiny network with a record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mochi_mm.evaluation.encoder import Encoder
from mochi_mm.files.weights_meta import describe_weights
from mochi_mm.launch.build import build
from tests.evaluation.toy import toy_model

NAMES = [
    *(f'{i}.png' for i in range(3)),
    *(f'a/{i}.jpg' for i in range(4)),
    *(f'a/b/{i}.png' for i in range(2)),
    'c d/ü.png',
    'c d/z.png',
]
BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')


def picture(seed: int, size: int = 12) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def picture_folder(root: Path) -> Path:
    for number, name in enumerate(NAMES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(root / name)
    return root


def toy_encoder(seed: int = 0) -> Encoder:
    return Encoder(toy_model(seed), [dict(type='PackInputs')], 'toy', 'toy weights')


def recorded_weights(path: Path, seed: int = 0, **backbone: object) -> Path:
    """A checkpoint that records its network, as training writes it."""
    torch.manual_seed(seed)
    config = dict(type='ImageClassifier', backbone=dict(BACKBONE, **backbone))
    model = build(config)
    record = describe_weights(model, dict(model=config))
    torch.save(dict(state_dict=model.state_dict(), meta=dict(mochi_mm=record)), path)
    return path
