"""Small images whose class shows in their color, and a small network, for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dataset import DefaultSampler
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, default_collate

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.registry import DATASETS, MODELS

CLASSES = 6


@DATASETS.register_module()
class ToyImages(Dataset):
    """``size`` noisy images of 6 classes; every class has a color."""

    def __init__(
        self,
        size: int = 24,
        seed: int = 0,
        unlabeled: Sequence[int] = (),
        noise: int = 50,
        classes: Sequence[str] = tuple('012345'),
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.arange(size) % CLASSES
        color = torch.stack([self.labels * 40, 200 - self.labels * 30, self.labels % 2 * 200], 1)
        grain = torch.randint(0, noise, (size, 3, 8, 8), generator=generator)
        self.images = (color[:, :, None, None] + grain).clamp(0, 255).to(torch.uint8)
        self.labels[list(unlabeled)] = -1
        self.metainfo = dict(classes=list(classes))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        samples = dict(gt_label=int(self.labels[index]), sample_idx=int(index))
        return dict(inputs=[self.images[index]], data_samples=samples)


@MODELS.register_module()
class ToyBackbone(nn.Module):
    """A convolution with batch norm and drop-out, so that training mode would show."""

    out_channels = 16

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, stride=2)
        self.bn = nn.BatchNorm2d(16)
        self.drop = nn.Dropout(0.5)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (self.drop(torch.relu(self.bn(self.conv(images)))),)


@MODELS.register_module()
class ToyAlgorithm(BaseAlgorithm):
    """Trains something, so that hooks can be tested around it."""

    num_views = 1

    def loss(self, inputs: Sequence[Tensor], data_samples: Any) -> dict[str, Tensor]:
        return dict(loss=self.extract_feat(inputs).square().mean())


def toy_model(seed: int = 0) -> ToyAlgorithm:
    init_default_scope('mochi_mm')
    torch.manual_seed(seed)
    return ToyAlgorithm(dict(type='ToyBackbone'))


def toy_loader(dataset: Dataset, batch_size: int = 5, **kwargs: Any) -> DataLoader:
    """A loader as the runner makes it for evaluation, each rank its part, repeating to fill up."""
    kwargs.setdefault('sampler', DefaultSampler(dataset, shuffle=False))
    return DataLoader(dataset, batch_size, collate_fn=default_collate, **kwargs)


def loader_config(**dataset: Any) -> dict[str, Any]:
    """The same as a config."""
    return dict(
        batch_size=5,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='ToyImages', **dataset),
    )
