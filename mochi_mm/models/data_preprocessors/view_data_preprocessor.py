"""Moves a batch to the device and normalises its views there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mochi_mm.models.functional.augment import (
    apply_colours,
    blur_radius,
    flip_some,
    gaussian_blur,
)
from mochi_mm.registry import MODELS

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@MODELS.register_module()
class ViewDataPreprocessor(BaseDataPreprocessor):
    """``(view - mean) / std`` for every uint8 RGB view, on the device.

    Where the samples come with ``view_parameters`` (from ``DeviceMultiView``), colours, blur and
    flip are applied first, for each sample as drawn.

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
        data, parameters = self._take_parameters(data)
        data = self.cast_data(data)
        views = data['inputs']
        if isinstance(views, Tensor) or any(v.ndim != 4 or v.shape[1] != 3 for v in views):
            raise ValueError(
                f'inputs is {_describe(views)}; expected a list of views (B, 3, H, W): end the '
                "pipeline with PackInputs and collate with collate_fn=dict(type='default_collate')."
            )
        views = [view.float() for view in views]
        if parameters is not None:
            views = [augment(v, parameters[:, i]) for i, v in enumerate(views)]
        normalised = [(self.convert(view) - self.mean) / self.std for view in views]
        return dict(inputs=normalised, data_samples=data.get('data_samples'))

    def convert(self, view: Tensor) -> Tensor:
        """Return a float view (B, 3, H, W), in grey levels, in the colours to be normalised."""
        return view

    @staticmethod
    def _take_parameters(data: dict[str, Any]) -> tuple[dict[str, Any], Tensor | None]:
        """Return the batch without the parameters of its views, and these, not yet moved."""
        samples = data.get('data_samples')
        if not isinstance(samples, dict) or 'view_parameters' not in samples:
            return data, None
        parameters: Tensor = samples['view_parameters']
        if parameters.ndim != 3 or parameters.shape[1:] != (len(data['inputs']), 20):
            raise ValueError(
                f'view_parameters of shape {tuple(parameters.shape)} for {len(data["inputs"])} '
                'views; expected (batch, views, 20), as DeviceMultiView makes them.'
            )
        rest = {key: value for key, value in samples.items() if key != 'view_parameters'}
        return dict(data, data_samples=rest), parameters


def augment(images: Tensor, parameters: Tensor) -> Tensor:
    """Return images (B, 3, H, W), in grey levels, with the colours, blur and flip of each sample.

    Args:
        images: Float, on any device.
        parameters: (B, 20) of ``DeviceMultiView``. On the CPU, which samples are blurred and how
            far is known without waiting for the device.
    """
    blurred = (parameters[:, 18] > 0).nonzero().squeeze(1)
    sigma = parameters[blurred, 18]
    radius = blur_radius(float(sigma.max())) if len(sigma) else 0
    blurred, sigma, parameters = (
        tensor.to(images.device, non_blocking=True) for tensor in (blurred, sigma, parameters)
    )
    of_pixel, of_mean = parameters[:, :9].view(-1, 3, 3), parameters[:, 9:18].view(-1, 3, 3)
    images = apply_colours(images, of_pixel, of_mean)
    if radius:
        images = images.index_copy(0, blurred, gaussian_blur(images[blurred], sigma, radius))
    return flip_some(images, parameters[:, 19])


def _describe(views: Any) -> str:
    if isinstance(views, Tensor):
        return f'a tensor of shape {tuple(views.shape)}'
    return f'a list of shapes {[tuple(v.shape) for v in views]}'
