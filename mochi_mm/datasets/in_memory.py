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
from mochi_mm.datasets.parts import built_parts, check_once, hand_on, has_pipeline
from mochi_mm.datasets.path_table import PathTable
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.registry import DATASETS

# What the sample here says itself; boxes are drawn on the image that is held, not on its file's.
_OWN = {'img', 'gt_label', 'sample_idx', 'drawn_on'}


@DATASETS.register_module()
class InMemory(ImageDataset):
    """Another data set whose images are decoded at the start and held as pixels.

    For images of one size, such as CIFAR (150 MB) and Tiny ImageNet (1.2 GB at 64 x 64). The pixels
    lie in shared memory: the workers of a loader do not copy them. Labels, order and classes are
    those of the data set within, and any pipeline works, also the fast ones. What else its samples
    have (``true_label``, ``bias_label``, ``mask``, ``img_path``) is held as it is.

    Args:
        dataset: The data set within, as a config or an object; its own pipeline is not used.
        pipeline: See :class:`ImageDataset`.

    Attributes:
        pixels: (len, H, W, C), uint8, or float32 (4 bytes a number) for files of more than 8 bits;
            zeros where an image cannot be read. In training such a sample is replaced as in the
            data set within; elsewhere it is an error when it is asked for.
        further: What else samples have, by name: (len) values, None where a sample has none.
        targets: (len, classes), where the data set within has ``targets``.
        true_labels: (len,) int64, where the data set within has ``true_labels``.

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
        hand_on(source, self, slice(None))
        self._refused: dict[int, str] = {}
        self.further: dict[str, Any] = {}
        self.pixels = self._decoded(source)
        self.pipeline.check_paths([path for path in self.further.get('img_path', ()) if path])
        for name, values in self.further.items():
            if all(isinstance(value, str) for value in values):
                self.further[name] = PathTable(values)  # which workers do not copy

    def _decoded(self, source: ImageDataset) -> torch.Tensor:
        """Return all images, zeros where one is unreadable, and keep what else samples have."""
        pixels: torch.Tensor | None = None
        for index in range(len(source)):
            try:
                sample = source.sample(index)
            except UnreadableImage as error:
                self._refused[index] = str(error)
                continue
            image = np.array(sample['img'])
            for name in sample.keys() - _OWN:
                self.further.setdefault(name, [None] * len(source))[index] = sample[name]
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
        result = self._sample(index)
        for name, values in self.further.items():
            if values[index] is not None:
                result[name] = values[index]
        return result

    def _sample(self, index: int) -> dict[str, Any]:
        """Return the same without what the data set within adds."""
        taken = self.pipeline
        if not (taken.takes_rows or taken.takes_files):
            return super().sample(index)
        self._check(index)
        result = dict(gt_label=int(self.labels[index]), sample_idx=index)
        if taken.takes_files:
            return dict(result, source=SourceImage(self.pixels[index].numpy()))
        height, width, channels = self.pixels.shape[1:]
        return dict(result, row=index, size=(height, width), channels=channels)
