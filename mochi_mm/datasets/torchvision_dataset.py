"""The small public data sets that torchvision knows how to fetch and read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torchvision import datasets as tv_datasets

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.registry import DATASETS

_SPLITS = dict(
    CIFAR10=('train', 'test'),
    CIFAR100=('train', 'test'),
    STL10=('train', 'test', 'unlabeled', 'train+unlabeled'),
    FashionMNIST=('train', 'test'),
)


@DATASETS.register_module()
class TorchVisionDataset(ImageDataset):
    """CIFAR10, CIFAR100, STL10 or FashionMNIST (gray), read by torchvision.

    Args:
        name: Class name in ``torchvision.datasets``.
        data_root: Folder that holds, or is to hold, the files as torchvision lays them out
            ('cifar-10-batches-py', 'cifar-100-python', 'stl10_binary', 'FashionMNIST/raw').
        split: 'train' or 'test'; STL10 also 'unlabeled' and 'train+unlabeled' (label -1 where
            there is none).
        download: Fetch missing files from the internet.
        pipeline: See :class:`ImageDataset`.
        channels: 1 gives FashionMNIST as it is; None, and 3 elsewhere, gives RGB.

    Raises:
        ValueError: An unknown name or split, or channels that the images do not have.
        FileNotFoundError: Files are missing or damaged and ``download`` is off.
    """

    def __init__(
        self,
        name: str = 'CIFAR10',
        data_root: str | Path = 'data/cifar10',
        split: str = 'train',
        download: bool = False,
        pipeline: Sequence[Any] = (),
        channels: int | None = None,
    ) -> None:
        super().__init__(pipeline)
        if name not in _SPLITS:
            raise ValueError(f'name must be one of {", ".join(_SPLITS)}, got {name!r}')
        if split not in _SPLITS[name]:
            raise ValueError(
                f'split of {name} must be one of {", ".join(_SPLITS[name])}, got {split!r}'
            )
        held = 1 if name == 'FashionMNIST' else 3
        if channels not in (None, held):
            raise ValueError(
                f'channels is {channels!r}, but {name} has {held}; set {held}, or None.'
            )
        self.channels = channels or 3
        self.pipeline.check_channels(self.channels)
        self.name, self.split = name, split
        self._source = self._open(str(Path(data_root).expanduser()), download)
        labels = self._source.labels if name == 'STL10' else self._source.targets
        self.labels = np.asarray(labels).astype(np.int64)
        self.classes = tuple(getattr(self._source, 'classes', ()))

    def _open(self, root: str, download: bool) -> Any:
        which = (
            dict(split=self.split) if self.name == 'STL10' else dict(train=self.split == 'train')
        )
        try:
            return getattr(tv_datasets, self.name)(root, download=download, **which)
        except RuntimeError as error:
            if download or 'not found' not in str(error):
                raise
            raise FileNotFoundError(
                f'the files of {self.name} are not in {root!r}, or are damaged. Set '
                'download=True once, or put the unpacked archive there.'
            ) from error

    def fingerprint(self) -> str:
        """Return a digest of the pixels."""
        pixels = np.ascontiguousarray(np.asarray(self._source.data))
        return hashlib.sha256(pixels.data).hexdigest()[:16]

    def image(self, index: int) -> Any:
        """Return image ``index``."""
        image: Image.Image = self._source[index][0]
        if self.channels == 1:
            return ChannelImage(np.array(image)[..., None])
        return image.convert('RGB')
