"""A network that makes features, with what an image passes through before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

from mochi_mm.datasets.transforms import Compose
from mochi_mm.files.weights_digest import weights_digest
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.evaluating import evaluating


@dataclass(frozen=True)
class Encoder:
    """Hold a network and the transforms that its images pass through.

    Attributes:
        model: Network with a data preprocessor of its own.
        transforms: Configs of the transforms of one view, :class:`PackInputs` at their end.
        network: Text that differs where the network computes other features from the same weights.
        told: Which weights were loaded, for people.
        reading: Settings of a data set that say how its files are read, such as ``channels``.
    """

    model: BaseAlgorithm
    transforms: Sequence[Any]
    network: str
    told: str
    reading: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def pipeline(self) -> Compose:
        """Return the transforms, built."""
        return Compose(self.transforms)

    @cached_property
    def weights(self) -> str:
        """Return the digest of the weights of the backbone."""
        return weights_digest(cast(nn.Module, self.model.backbone))

    @cached_property
    def images(self) -> str:
        """Return how files are read and the transforms, as text."""
        read = [f'{name}={value!r}' for name, value in self.reading.items()]
        return ', '.join([*read, *map(repr, self.pipeline.transforms)])

    @torch.no_grad()
    def encode(self, views: Tensor) -> Tensor:
        """Return the pooled features (B, C), float32 on the CPU, of a batch as it is collated.

        Args:
            views: (B, channels, H, W), as the pipeline leaves them.

        Raises:
            ValueError: A feature is not finite.
        """
        with evaluating(self.model):
            data = self.model.data_preprocessor(dict(inputs=[views], data_samples={}), False)
            features = self.model.extract_feat(data['inputs']).float().cpu()
        if not bool(torch.isfinite(features).all()):
            raise ValueError(
                'a feature is not finite; expected weights of a training that has not diverged, '
                'and images within the range that they were trained on.'
            )
        return features


def the_view(sample: dict[str, Any]) -> Tensor:
    """Return the one view of a packed sample.

    Raises:
        ValueError: There are several.
    """
    views: list[Tensor] = sample['inputs']
    if len(views) != 1:
        raise ValueError(
            f'the pipeline makes {len(views)} views of an image, and features are taken of one; '
            'expected an evaluation pipeline, without MultiView.'
        )
    return views[0]


def collate_one_view(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return packed samples of one view each as a batch; sizes must be the same.

    Raises:
        ValueError: Several views of an image, or several sizes.
    """
    views = [the_view(sample) for sample in samples]
    about = default_collate([sample['data_samples'] for sample in samples])
    return dict(inputs=[stack_views(views)], data_samples=about)


def stack_views(views: Sequence[Tensor]) -> Tensor:
    """Return views (channels, H, W) of one size as a batch (B, channels, H, W).

    Raises:
        ValueError: Views of several sizes.
    """
    shapes = sorted({tuple(view.shape) for view in views})
    if len(shapes) > 1:
        raise ValueError(
            f'the pipeline leaves images of several sizes, such as {shapes[0]} and {shapes[-1]} '
            '(channels, height, width); expected one size. Add Resize and CenterCrop to the '
            'pipeline of the config, or give --size PIXELS (size=PIXELS), which takes their place.'
        )
    return torch.stack(list(views))
