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
    filtered_crops,
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
    """Normalize every view on the device: ``(view - mean) / std``.

    Where the samples come with ``view_parameters`` (from ``DeviceMultiView``), colors, blur and
    flip are applied first, for each sample as drawn. From ``HeldMultiView`` a view is the number of
    an image that :meth:`hold` put here, and is cut out of it first.

    Args:
        mean: Mean of each channel, in gray levels (0 to 255): red, green and blue, or what other
            images have (``tools/dataset/mean_std.py`` measures it).
        std: Standard deviation of each channel, in gray levels, above 0.
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
        if not len(mean) or len(mean) != len(std) or min(std) <= 0:
            raise ValueError(
                f'mean {tuple(mean)} and std {tuple(std)}; expected one number of each for '
                'every channel, in gray levels (0 to 255), and std above 0.'
            )
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)
        self.register_buffer('images', None, persistent=False)

    def hold(self, pixels: Tensor) -> None:
        """Keep images (N, H, W, C) on the device, for views that are numbers of images."""
        self.images = pixels.permute(0, 3, 1, 2).contiguous().to(self.mean.device)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return ``dict(inputs=[V float views (B, C, H, W)], data_samples=tensors by name)``.

        Args:
            data: A collated batch, ``inputs`` a list of V tensors (B, C, H, W), uint8, or
                float32 in gray levels.
            training: Check labels and indices, those of a training batch, before they are moved:
                reading them later would wait for the device.

        Raises:
            ValueError: ``inputs`` is no list of (B, C, H, W) views, or C is not the length of mean.
        """
        data, parameters = self._take_parameters(data)
        if training and self.check_samples is not None:
            self.check_samples(data.get('data_samples') or {})
        data = self.cast_data(data)
        views = data['inputs']
        if parameters is not None and all(view.ndim == 1 for view in views):
            views = self._cut(views, parameters)
        if isinstance(views, Tensor) or any(v.ndim != 4 for v in views):
            raise ValueError(
                f'inputs is {_describe(views)}; expected a list of views (B, C, H, W): end the '
                "pipeline with PackInputs and collate with collate_fn=dict(type='default_collate')."
            )
        self._check_channels(views)
        views = [view.float() for view in views]
        if parameters is not None:
            views = [augment(v, parameters.of_view(i)) for i, v in enumerate(views)]
        normalized = [self.normalize(view) for view in views]
        return dict(inputs=normalized, data_samples=data.get('data_samples'))

    def _check_channels(self, views: Sequence[Tensor]) -> None:
        for view in views:
            if view.shape[1] != len(self.mean):
                raise ValueError(
                    f'the views have {view.shape[1]} channels, but mean and std of the data '
                    f'preprocessor have {len(self.mean)} numbers; expected one for each channel. '
                    'Set channels of the data set, in_channels of the backbone, and mean and std '
                    'to one number (tools/dataset/mean_std.py FOLDER --channels N measures mean '
                    'and std).'
                )

    def normalize(self, view: Tensor) -> Tensor:
        """Return a float view (B, C, H, W), in gray levels, as a network sees it."""
        return (self.convert(view) - self.mean) / self.std

    def gray_levels(self, view: Tensor) -> Tensor:
        """Return a normalized view (B, C, H, W) in gray levels again, but for rounding.

        Raises:
            ValueError: The colors were converted.
        """
        if type(self).convert is not ViewDataPreprocessor.convert:
            raise ValueError(
                f'{type(self).__name__} converts colors, which cannot be taken back exactly; '
                'expected a ViewDataPreprocessor.'
            )
        return view * self.std + self.mean

    def _cut(self, views: list[Tensor], parameters: ViewParameters) -> list[Tensor]:
        """Return the crops (B, C, size, size) of the images whose numbers ``views`` (B,) are."""
        if self.images is None:
            raise ValueError(
                'the views are numbers of images, and none are held; HeldMultiView needs '
                "dict(type='HoldImagesHook') in custom_hooks."
            )
        crops = []
        for number, view in enumerate(views):
            box = parameters.box[:, number].to(self.mean.device, non_blocking=True)
            size = int(parameters.size[0, number])
            # A crop is reduced at most where the image is larger than the view.
            cut = resized_crops if max(self.images.shape[2:]) <= size else filtered_crops
            crops.append(cut(self.images[view], box, size))
        return crops

    def convert(self, view: Tensor) -> Tensor:
        """Return a float view (B, C, H, W), in gray levels, in the colors to be normalized."""
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
    """Return images (B, C, H, W), in gray levels, with the colors, blur and flip of each sample.

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
