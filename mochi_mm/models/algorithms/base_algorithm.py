"""What every algorithm shares: modes, pooling, view count, memory format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.registry import MODELS

Losses = dict[str, Tensor]
DataSamples = Mapping[str, Tensor]


def build(component: dict | nn.Module | None) -> Any:
    """Return ``component`` itself if it is a module (or None), else what its config builds."""
    return MODELS.build(component) if isinstance(component, dict) else component


def pool(features: Tensor | Sequence[Tensor]) -> Tensor:
    """Return (B, C): the last feature map averaged over its positions, or a vector as it is."""
    last = features if isinstance(features, Tensor) else features[-1]
    return F.adaptive_avg_pool2d(last, 1).flatten(1) if last.ndim == 4 else last


class BaseAlgorithm(BaseModel):
    """A backbone with an objective, in MMEngine's three modes.

    Args:
        backbone: Backbone, as a config or a module.
        neck: Neck on the pooled features, or None.
        head: Objective.
        data_preprocessor: Normalises a batch and moves it to the device.
        channels_last: Keep images and convolution weights in channels-last order, which is
            faster on recent CPUs and on tensor cores and changes no result beyond rounding.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Parts whose widths do not meet, or a head that is made for other algorithms.
    """

    #: Views the training batch must have; None takes any number.
    num_views: int | None = None

    def __init__(
        self,
        backbone: dict | nn.Module,
        neck: dict | nn.Module | None = None,
        head: dict | nn.Module | None = None,
        data_preprocessor: dict | nn.Module | None = None,
        channels_last: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor=data_preprocessor or dict(type='mochi_mm.ViewDataPreprocessor'),
            init_cfg=init_cfg,
        )
        self.backbone: Any = build(backbone)
        self.neck: Any = build(neck)
        self.head: Any = build(head)
        self.channels_last = channels_last
        self._check_fit(self.head)
        self._check_widths()
        if channels_last:
            self.to(memory_format=torch.channels_last)

    def forward(
        self,
        inputs: Sequence[Tensor],
        data_samples: DataSamples | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Return losses, predictions or features for ``mode`` ``loss``, ``predict`` or ``tensor``.

        Args:
            inputs: V views (B, 3, H, W), normalised.
            data_samples: Tensors (B,) by name.
            mode: One of the three.
        """
        if mode == 'loss':
            return self.loss(self.take_views(inputs), data_samples)
        if mode == 'predict':
            return self.predict(self._layout(inputs), data_samples)
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise ValueError(f"mode is {mode!r}; expected 'loss', 'predict' or 'tensor'.")

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return losses and logged statistics of a batch of views."""
        raise NotImplementedError(f'{type(self).__name__} is not trained by itself.')

    def predict(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Any:
        """Return predictions for a batch of views."""
        raise NotImplementedError(
            f'{type(self).__name__} predicts nothing: measure its features with a kNN or linear '
            'probe config from configs/benchmarks.'
        )

    def extract_feat(self, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        """Return (B, C) pooled backbone features of one view, a tensor or a list of one.

        Raises:
            ValueError: More than one view.
        """
        if not isinstance(inputs, Tensor):
            if len(inputs) != 1:
                raise ValueError(
                    f'features are taken from one view, got {len(inputs)}; use an evaluation '
                    'pipeline without MultiView.'
                )
            inputs = inputs[0]
        return pool(self.backbone(self._layout([inputs])[0]))

    def take_views(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the views in this algorithm's memory format, after counting them.

        Raises:
            ValueError: Another number of views than the algorithm takes.
        """
        if self.num_views is not None and len(inputs) != self.num_views:
            raise ValueError(
                f'{type(self).__name__} takes {self.num_views} views of each image, got '
                f'{len(inputs)}; set num_views of MultiView in the pipeline accordingly.'
            )
        return self._layout(inputs)

    def _layout(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        if not self.channels_last:
            return list(inputs)
        return [view.contiguous(memory_format=torch.channels_last) for view in inputs]

    def _check_fit(self, head: Any) -> None:
        """Refuse a head whose ``algorithms`` name this one nowhere; without them it may be any."""
        fitting = getattr(head, 'algorithms', None)
        names = {ancestor.__name__ for ancestor in type(self).__mro__}
        if fitting is not None and names.isdisjoint(fitting):
            raise ValueError(
                f'{type(head).__name__} does not fit {type(self).__name__}, which hands other '
                f'embeddings to its head; set the type of the model to {" or ".join(fitting)}, or '
                'choose another head.'
            )

    def _check_widths(self) -> None:
        """Refuse parts whose declared widths do not meet."""
        parts = [(name, getattr(self, name)) for name in ('backbone', 'neck', 'head')]
        parts = [(name, module) for name, module in parts if module is not None]
        for (giver, module), (taker, following) in pairwise(parts):
            given = getattr(module, 'out_channels', None)
            wanted = getattr(following, 'in_channels', None)
            if isinstance(given, int) and isinstance(wanted, int) and given != wanted:
                raise ValueError(
                    f'the {giver} gives {given} channels but the {taker} takes {wanted}; set '
                    f'in_channels of the {taker} to {given}.'
                )
        memory = getattr(self.head, 'memory', None)
        width = getattr(self.neck, 'out_channels', None)
        if memory is not None and isinstance(width, int) and width != memory.dim:
            raise ValueError(
                f'the neck gives {width} channels but the memory holds keys of width '
                f'{memory.dim}; set memory.dim to {width} or out_channels of the neck to '
                f'{memory.dim}.'
            )
