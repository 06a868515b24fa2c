"""Checkpoints to export, with weights and statistics of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import pool
from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.registry import MODELS

MEAN, STD = [125.5, 122.5, 113.5], [62.5, 62.0, 66.5]


def trained(seed: int, **settings: Any) -> nn.Module:
    """A backbone after a step of batch statistics, so that nothing is as it was initialized."""
    torch.manual_seed(seed)
    backbone = MODELS.build(dict(dict(type='ResNet'), **settings))
    backbone.train()(torch.randn(2, 3, 48, 48) * 2 + 1)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    return backbone.eval()


def checkpoint(path: Path, algorithm: str = 'MoCo', **settings: Any) -> tuple[Any, Any]:
    """Write a checkpoint; return its query backbone and its key backbone."""
    query, key = trained(0, **settings), trained(1, **settings)
    state = {f'backbone.{name}': tensor for name, tensor in query.state_dict().items()}
    state |= {f'key_encoder.backbone.{n}': tensor for n, tensor in key.state_dict().items()}
    state['neck.fc.weight'] = torch.zeros(3)
    config = {} if 'type' in settings else dict(type='ResNet', depth=50, width=1.0, stem='imagenet')
    record = dict(
        mean=MEAN,
        std=STD,
        channel_order='rgb',
        backbone=dict(config, **settings),
        algorithm=algorithm,
    )
    torch.save(dict(state_dict=state, meta=dict(mochi_mm=record)), path)
    return query, key


@torch.no_grad()
def features(backbone: Any, images: Tensor) -> Tensor:
    """Pooled features."""
    return pool(backbone(images))


def images(batch: int = 2, height: int = 50, width: int = 70) -> Tensor:
    """Images of another size than the exporter's own check uses."""
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(5))


__all__ = ['MEAN', 'STD', 'ResNet', 'checkpoint', 'features', 'images', 'trained']
