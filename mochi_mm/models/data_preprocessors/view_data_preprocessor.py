"""Transfer of a batch to the device, and normalization of its views there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mochi_mm.models.functional.augment import (
    apply_colors,
    blur_radius,
    flip_some,
    gaussian_blur,
    resized_crops,
)
from mochi_mm.registry import MODELS
from mochi_mm.structures import ViewParameters

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@MODELS.register_module()
class ViewDataPreprocessor(BaseDataPreprocessor):
    """Normalize every uint8 RGB view on the device: ``(view - mean) / std``.

    Where the samples come with ``view_parameters`` (from ``DeviceMultiView``), colors, blur and
    flip are applied first, for each sample as drawn. From ``HeldMultiView`` a view is the number of
    an image that :meth:`hold` put here, and is cut out of it first.

    Args:
        mean: Mean of red, green and blue, in gray levels (0 to 255).
        std: Standard deviation of red, green and blue, in gray levels, above 0.
        non_blocking: Copy asynchronously (takes effect with pinned memory).
    """

    mean: Tensor
    std: Tensor
    images: Tensor | None
    #: Check that an algorithm makes of a training batch, while its samples are on the host.
    check_samples: Callable[[Mapping[str, Tensor]], None] | None = None

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(
                f'mean {tuple(mean)} and std {tuple(std)}; expected three numbers each, in gray '
                'levels (0 to 255), and std above 0.'
            )
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1), persistent=False)
        self.register_buffer('images', None, persistent=False)

    def hold(self, pixels: Tensor) -> None:
        """Keep images (N, H, W, 3) uint8 on the device, for views that are numbers of images."""
        self.images = pixels.permute(0, 3, 1, 2).contiguous().to(self.mean.device)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return ``dict(inputs=[V float views (B, 3, H, W)], data_samples=tensors by name)``.

        Args:
            data: A collated batch, ``inputs`` a list of V uint8 tensors (B, 3, H, W).
            training: Check labels and indices, those of a training batch, before they are moved:
                reading them later would wait for the device.

        Raises:
            ValueError: ``inputs`` is no list of (B, 3, H, W) views.
        """
        data, parameters = self._take_parameters(data)
        if training and self.check_samples is not None:
            self.check_samples(data.get('data_samples') or {})
        data = self.cast_data(data)
        views = data['inputs']
        if parameters is not None and all(view.ndim == 1 for view in views):
            views = self._cut(views, parameters)
        if isinstance(views, Tensor) or any(v.ndim != 4 or v.shape[1] != 3 for v in views):
            raise ValueError(
                f'inputs is {_describe(views)}; expected a list of views (B, 3, H, W): end the '
                "pipeline with PackInputs and collate with collate_fn=dict(type='default_collate')."
            )
        views = [view.float() for view in views]
        if parameters is not None:
            views = [augment(v, parameters.of_view(i)) for i, v in enumerate(views)]
        normalized = [(self.convert(view) - self.mean) / self.std for view in views]
        return dict(inputs=normalized, data_samples=data.get('data_samples'))

    def _cut(self, views: list[Tensor], parameters: ViewParameters) -> list[Tensor]:
        """Return the crops (B, 3, size, size) of the images whose numbers ``views`` (B,) are."""
        if self.images is None:
            raise ValueError(
                'the views are numbers of images, and none are held; HeldMultiView needs '
                "dict(type='HoldImagesHook') in custom_hooks."
            )
        return [
            resized_crops(
                self.images[view],
                parameters.box[:, i].to(self.mean.device, non_blocking=True),
                int(parameters.size[0, i]),
            )
            for i, view in enumerate(views)
        ]

    def convert(self, view: Tensor) -> Tensor:
        """Return a float view (B, 3, H, W), in gray levels, in the colors to be normalized."""
        return view

    @staticmethod
    def _take_parameters(data: dict[str, Any]) -> tuple[dict[str, Any], ViewParameters | None]:
        """Return the batch without the parameters of its views, and these, not yet moved."""
        samples = data.get('data_samples')
        if not isinstance(samples, dict) or 'view_parameters' not in samples:
            return data, None
        parameters = samples['view_parameters']
        views = len(data['inputs'])
        if not isinstance(parameters, ViewParameters) or parameters.sigma.shape[1:] != (views,):
            raise ValueError(
                f'view_parameters is {_describe(parameters)} for {views} views; expected the '
                'ViewParameters of these views, as DeviceMultiView and HeldMultiView make them.'
            )
        rest = {key: value for key, value in samples.items() if key != 'view_parameters'}
        return dict(data, data_samples=rest), parameters


def augment(images: Tensor, drawn: ViewParameters) -> Tensor:
    """Return images (B, 3, H, W), in gray levels, with the colors, blur and flip of each sample.

    Args:
        images: Float, on any device.
        drawn: Parameters of one view, (B, ...) each. On the CPU, which samples are blurred and
            how far is known without waiting for the device.
    """
    blurred = (drawn.sigma > 0).nonzero().squeeze(1)
    sigma = drawn.sigma[blurred]
    radius = blur_radius(float(sigma.max())) if len(sigma) else 0
    blurred, sigma, flip, of_pixel, of_mean = (
        tensor.to(images.device, non_blocking=True)
        for tensor in (blurred, sigma, drawn.flip, drawn.of_pixel, drawn.of_mean)
    )
    images = apply_colors(images, of_pixel, of_mean)
    if radius:
        images = images.index_copy(0, blurred, gaussian_blur(images[blurred], sigma, radius))
    return flip_some(images, flip)


def _describe(views: Any) -> str:
    if isinstance(views, Tensor):
        return f'a tensor of shape {tuple(views.shape)}'
    if not isinstance(views, (list, tuple)):
        return repr(views)
    return f'a list of shapes {[tuple(v.shape) for v in views]}'
