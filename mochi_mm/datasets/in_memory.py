"""A small data set, decoded once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.parts import built_parts, check_once, has_pipeline
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.registry import DATASETS


@DATASETS.register_module()
class InMemory(ImageDataset):
    """Another data set whose images are decoded at the start and held as pixels.

    For images of one size, such as CIFAR (150 MB) and Tiny ImageNet (1.2 GB at 64 x 64). The pixels
    lie in shared memory: the workers of a loader do not copy them. Labels, order and classes are
    those of the data set within, and any pipeline works, also the fast ones.

    Args:
        dataset: The data set within, as a config or an object; its own pipeline is not used.
        pipeline: See :class:`ImageDataset`.

    Attributes:
        pixels: (len, H, W, C), uint8, or float32 (4 bytes a number) for files of more than 8 bits;
            zeros where an image cannot be read. In training such a sample is replaced as in the
            data set within; elsewhere it is an error when it is asked for.

    Raises:
        ValueError: The data set within has a pipeline or repeats its images, they differ in size,
            or none can be read.
    """

    def __init__(self, dataset: Any, pipeline: Sequence[Any] = ()) -> None:
        super().__init__(pipeline)
        (source,) = built_parts([dataset], 'InMemory.dataset')
        if has_pipeline(source):
            raise ValueError(
                'the data set within InMemory has a pipeline, which would never run; put it '
                'into InMemory(pipeline=...).'
            )
        check_once(source, 'InMemory')
        self.labels, self.classes = source.labels, source.classes
        self.channels = source.channels
        self.pipeline.check_channels(self.channels)
        self._refused: dict[int, str] = {}
        self.pixels = self._decoded(source)

    def _decoded(self, source: ImageDataset) -> torch.Tensor:
        """Return all images; those that cannot be read are zeros, and noted."""
        pixels: torch.Tensor | None = None
        for index in range(len(source)):
            try:
                image = np.array(source.image(index))
            except UnreadableImage as error:
                self._refused[index] = str(error)
                continue
            if pixels is None:
                first = index
                like = torch.from_numpy(image)
                pixels = like.new_zeros((len(source), *image.shape)).share_memory_()
            if image.shape != pixels.shape[1:]:
                raise ValueError(
                    f'image {index} is {image.shape[1]} x {image.shape[0]}, image {first} is '
                    f'{pixels.shape[2]} x {pixels.shape[1]}; InMemory holds images of one size. '
                    'Use the data set within as it is.'
                )
            pixels[index] = torch.from_numpy(image)
        if pixels is None:
            reason = self._refused.get(0, 'it is empty')
            raise ValueError(f'no image of the data set within InMemory can be read: {reason}')
        return pixels

    def fingerprint(self) -> str:
        """Return a digest of the pixels."""
        return hashlib.sha256(self.pixels.numpy().data).hexdigest()[:16]

    def image(self, index: int) -> Any:
        """Return image ``index``; raises ``UnreadableImage`` as the data set within."""
        self._check(index)
        pixels = self.pixels[index].numpy()
        photograph = pixels.shape[2] == 3 and pixels.dtype == np.uint8
        return Image.fromarray(pixels) if photograph else ChannelImage(pixels)

    def _check(self, index: int) -> None:
        if index in self._refused:
            raise UnreadableImage(self._refused[index])

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline; no image where its first transform needs none."""
        taken = self.pipeline
        if not (taken.takes_rows or taken.takes_files):
            return super().sample(index)
        self._check(index)
        result = dict(gt_label=int(self.labels[index]), sample_idx=index)
        if taken.takes_files:
            return dict(result, source=SourceImage(self.pixels[index].numpy()))
        height, width, channels = self.pixels.shape[1:]
        return dict(result, row=index, size=(height, width), channels=channels)
