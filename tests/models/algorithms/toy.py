"""A MoCo small enough to train in a test."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.registry import MODELS

PAIRS = [dict(type='PairMixing', num=6), dict(type='QueryMixing', num=3)]


def moco_config(mixing: bool = True, **kwargs: Any) -> dict[str, Any]:
    """A config with a narrow ResNet-10, 16 keys of width 8."""
    head: dict[str, Any] = dict(
        type='ContrastiveHead', memory=dict(type='FeatureQueue', length=16, dim=8)
    )
    if mixing:
        head.update(type='HardNegativeMixingHead', num_hard=5, mixers=PAIRS)
    config: dict[str, Any] = dict(
        type='MoCo',
        backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'),
        neck=dict(type='MLPNeck', in_channels=64, out_channels=8),
        head=head,
    )
    if kwargs.get('batch_shuffle', 'auto') in ('auto', 'split_bn'):
        config.update(num_splits=2)
    config.update(kwargs)
    return config


def build_moco(seed: int = 0, mixing: bool = True, **kwargs: Any) -> Any:
    """The same network for the same seed, initialized and in training mode."""
    torch.manual_seed(seed)
    model = MODELS.build(moco_config(mixing, **kwargs))
    model.init_weights()
    return model.train()


def views(batch: int, seed: int = 0, num_views: int = 2) -> dict[str, Any]:
    """A collated batch of random images."""
    generator = torch.Generator().manual_seed(seed)
    return dict(
        inputs=[
            torch.randint(0, 256, (batch, 3, 8, 8), generator=generator, dtype=torch.uint8)
            for _ in range(num_views)
        ],
        data_samples=dict(gt_label=torch.arange(batch) % 3, sample_idx=torch.arange(batch)),
    )


class Recorder(nn.Module):
    """A head that keeps what it is given."""

    min_views = 2

    def __init__(self, name: str = 'loss', tap: str = 'predictor', takes: str = 'views') -> None:
        super().__init__()
        self.name, self.tap, self.takes = name, tap, takes

    def loss_views(
        self, online: Any, target: Any, data_samples: Any, features: Any = None
    ) -> dict[str, Tensor]:
        self.online, self.target, self.samples = online, target, data_samples
        self.features = features
        return {self.name: sum(rows.sum() for rows in online.values())}

    def check_samples(self, samples: Any) -> None:
        self.checked = samples
