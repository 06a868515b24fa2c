"""Moves a batch to the device and normalises its views there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mochi_mm.registry import MODELS

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@MODELS.register_module()
class ViewDataPreprocessor(BaseDataPreprocessor):
    """``(view - mean) / std`` for every uint8 RGB view, on the device.

    Args:
        mean: Of red, green and blue, in grey levels (0 to 255).
        std: Likewise, above 0.
        non_blocking: Copy asynchronously (takes effect with pinned memory).
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(
                f'mean {tuple(mean)} and std {tuple(std)}; expected three numbers each, in grey '
                'levels (0 to 255), and std above 0.'
            )
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return ``dict(inputs=[V float views (B, 3, H, W)], data_samples=tensors by name)``.

        Args:
            data: A collated batch, ``inputs`` a list of V uint8 tensors (B, 3, H, W).
            training: Unused here; MMEngine passes it.

        Raises:
            ValueError: ``inputs`` is no list of (B, 3, H, W) views.
        """
        data = self.cast_data(data)
        views = data['inputs']
        if isinstance(views, Tensor) or any(v.ndim != 4 or v.shape[1] != 3 for v in views):
            raise ValueError(
                f'inputs is {_describe(views)}; expected a list of views (B, 3, H, W): end the '
                "pipeline with PackInputs and collate with collate_fn=dict(type='default_collate')."
            )
        normalised = [(self.convert(view.float()) - self.mean) / self.std for view in views]
        return dict(inputs=normalised, data_samples=data.get('data_samples'))

    def convert(self, view: Tensor) -> Tensor:
        """Return a float view (B, 3, H, W), in grey levels, in the colours to be normalised."""
        return view


def _describe(views: Any) -> str:
    if isinstance(views, Tensor):
        return f'a tensor of shape {tuple(views.shape)}'
    return f'a list of shapes {[tuple(v.shape) for v in views]}'
