"""The last transform: what leaves the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.planes import planes_of
from mochi_mm.registry import TRANSFORMS

_ALWAYS = ('gt_label', 'sample_idx')
_TYPES = (torch.uint8, torch.float32)


@TRANSFORMS.register_module()
class PackInputs:
    """Pack a sample into ``dict(inputs=[view, ...], data_samples=dict(...))``.

    Each view is a contiguous tensor (C, H, W): ``results['views']`` if there are any, else
    ``results['img']`` alone; they may be images, or such tensors already. RGB photographs are uint8
    with C = 3; a ``ChannelImage`` keeps its channels, uint8, or float32 for more than 8 bits.
    ``data_samples`` holds ``gt_label`` and ``sample_idx`` as ``int``, ``view_parameters`` where a
    transform left some to the device, and the values of ``extra_keys`` as they are (NumPy scalars
    as plain numbers), so that torch's default collate makes V tensors (B, C, H, W) and a dict of
    tensors (B, ...).

    Args:
        extra_keys: Further keys of the results that go into ``data_samples``.

    Raises:
        KeyError: When called without one of the extra keys.
        ValueError: ``extra_keys`` is not a list of names; when called: a view that is neither
            RGB image nor ``ChannelImage``.
    """

    def __init__(self, extra_keys: Sequence[str] = ()) -> None:
        if isinstance(extra_keys, str) or not all(isinstance(key, str) for key in extra_keys):
            raise ValueError(f'extra_keys must be a list of names, got {extra_keys!r}')
        self.extra_keys = tuple(key for key in extra_keys if key not in _ALWAYS)

    @staticmethod
    def _tensor(image: Any) -> Tensor:
        if isinstance(image, Tensor) and image.dtype == torch.int64 and image.ndim == 0:
            return image  # the number of an image that the device holds
        if isinstance(image, Tensor) and image.ndim == 3 and image.dtype in _TYPES:
            return image.contiguous()
        if isinstance(image, ChannelImage):
            return planes_of(image.pixels)
        if not isinstance(image, Image.Image) or image.mode != 'RGB':
            kind = image.mode if isinstance(image, Image.Image) else type(image).__name__
            raise ValueError(
                f'PackInputs takes ChannelImage and PIL images of mode RGB, got {kind}'
            )
        # A permuted view would be stacked channels-last in one process and not in a worker.
        return F.pil_to_tensor(image).contiguous()

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return the packed sample."""
        images = results['views'] if 'views' in results else [results['img']]
        samples: dict[str, Any] = {key: int(results[key]) for key in _ALWAYS}
        if 'view_parameters' in results:  # what the data preprocessor is to do with each view
            samples['view_parameters'] = results['view_parameters']
        for key in self.extra_keys:
            if key not in results:
                raise KeyError(
                    f'PackInputs(extra_keys=...) names {key!r}, which the sample does not have. '
                    f'It has: {", ".join(sorted(results))}.'
                )
            value = results[key]
            samples[key] = value.item() if isinstance(value, np.generic) else value
        return dict(inputs=[self._tensor(image) for image in images], data_samples=samples)

    def __repr__(self) -> str:
        return f'PackInputs(extra_keys={self.extra_keys})'
