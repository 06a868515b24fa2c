"""Base class of all image data sets: keyed sampling and the pipeline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mochi_mm.datasets.fault_record import FaultRecord
from mochi_mm.datasets.transforms import Compose
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.randomness import SampleKey

_MAX_REPLACEMENTS = 20


class ImageDataset(Dataset, ABC):
    """Images by index, each passed through a pipeline with a random generator of its own.

    ``dataset[key]`` with a :class:`SampleKey` gives the sample as drawn in that seed and epoch; a
    plain integer means seed 0, epoch 0, so looking at a data set is repeatable.

    Args:
        pipeline: Transforms, as configs or callables, applied in turn to
            ``dict(img=PIL.Image RGB, gt_label=int, sample_idx=int, rng=numpy.random.Generator)``; a
            ``ChannelImage`` in its place where images have other channels, or more than 8 bits.

    Attributes:
        labels: (len,) int64, the class of each sample, -1 where there is none.
        metainfo: ``dict(classes=...)``.
        channels: Of all images; 3 are RGB.
        faults: Record of samples that cannot be read; they are then replaced by others. None,
            as it is unless a hook of training sets it: they are an error.
    """

    labels: np.ndarray
    classes: tuple[str, ...] = ()
    channels: int = 3
    faults: FaultRecord | None = None
    # Number and content of the sample that this process read last, for its repeats.
    _last: tuple[int, dict[str, Any]] = (-1, {})

    def __init__(self, pipeline: Sequence[Any] = ()) -> None:
        self.pipeline = Compose(pipeline)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Return the names of the classes, as MMEngine expects them."""
        return dict(classes=list(self.classes))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_images(self) -> int:
        """Return the number of different images; each ``sample_idx`` is below it."""
        return len(self)

    def pipeline_of(self, index: int) -> Compose:
        """Return the pipeline that sample ``index`` passes through."""
        return self.pipeline

    @property
    def full_init(self) -> None:
        """Refuse MMEngine's method; the error names what to use instead.

        Its loaders only look whether it is there; its wrappers of data sets call it, and would lose
        the keys of samples.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(
            f"a wrapper of MMEngine cannot hold {type(self).__name__}; expected this project's "
            'ConcatDataset or RepeatDataset, named without a prefix in a config of scope mochi_mm.'
        )

    def check_pipeline(self, pipeline: Compose) -> None:
        """Refuse transforms that the images of this data set do not have, or not all of them.

        Raises:
            ValueError: A transform is not for images of these channels.
            FileNotFoundError: A transform lacks a file of an image.
        """
        pipeline.check_channels(self.channels)

    def fingerprint(self) -> str:
        """Return text that differs where the images on the disk do.

        Empty where the settings say it all, as for generated images.
        """
        return ''

    @abstractmethod
    def image(self, index: int) -> Any:
        """Return image ``index`` as an RGB ``PIL.Image``, or as a ``ChannelImage``."""

    def try_first(self, count: int = 5) -> None:
        """Read one of the first images, so that wrong files show before the first batch.

        Args:
            count: Images that are tried.

        Raises:
            UnreadableImage: None of them can be read.
        """
        for index in range(min(count, len(self))):
            try:
                self.image(index)
                return
            except UnreadableImage:
                if index + 1 == min(count, len(self)):
                    raise

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline, without the generator."""
        return dict(img=self.image(index), gt_label=int(self.labels[index]), sample_idx=int(index))

    def __getitem__(self, key: int) -> Any:
        index = int(key)
        if not 0 <= index < len(self):
            raise IndexError(f'sample {index} of a data set with {len(self)} samples')
        keyed = key if isinstance(key, SampleKey) else SampleKey(index)
        return (
            self.get_sample(index, keyed) if self.faults is None else self._replaced(index, keyed)
        )

    def get_sample(self, index: int, key: SampleKey) -> Any:
        """Return sample ``index`` through the pipeline, drawn with ``key``.

        Raises:
            UnreadableImage: The image cannot be read; some pipelines decode it themselves.
        """
        last, results = self._last
        if not key.repeat or last != index:  # else it was read just before
            self._last, results = (-1, {}), {}  # its memory serves the next one
            results = self.sample(index)
            self._last = index, results
        return self.pipeline_of(index)(dict(results, rng=key.generator()))

    def _replaced(self, index: int, key: SampleKey) -> Any:
        """Return sample ``index``, or another one that depends on the key alone."""
        others: np.random.Generator | None = None
        tried = [index]
        while True:
            try:
                return self.get_sample(tried[-1], key)
            except UnreadableImage as error:
                if self.faults is not None:
                    self.faults.add(tried[-1])
                if len(tried) > _MAX_REPLACEMENTS:
                    raise UnreadableImage(
                        f'sample {index} and {_MAX_REPLACEMENTS} others drawn in its place cannot '
                        f'be read, the last because: {error}'
                    ) from error
            if others is None:
                # A stream of its own, so that transforms draw what they would have drawn.
                bits: Any = key.generator().bit_generator
                others = np.random.Generator(bits.jumped())
            tried.append(int(others.integers(len(self))))
