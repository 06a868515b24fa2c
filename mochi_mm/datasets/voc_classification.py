"""PASCAL VOC as a classification data set with several classes per image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.file_fingerprint import file_fingerprint
from mochi_mm.datasets.read_image import read_image
from mochi_mm.datasets.voc_files import VOCFiles, is_difficult, listed_names, read_annotation
from mochi_mm.registry import DATASETS
from mochi_mm.utils.progress import progress_bar

VOC_CLASSES = (
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
)


@DATASETS.register_module()
class VOCClassification(ImageDataset):
    """Which classes each image of a VOC folder shows, read from its annotation.

    Args:
        data_root: The folder with ``JPEGImages``, ``Annotations`` and ``ImageSets``.
        split: A list in ``ImageSets/Main``, such as 'trainval' or 'test'.
        classes: Names, in the order of the targets; VOC's twenty.
        pipeline: See :class:`ImageDataset`.

    Attributes:
        targets: (len, classes) int8: 1 where a class is shown, 0 where all its objects are marked
            difficult (such images neither count nor train), -1 where it is not.
        labels: All -1; an image has no single class.

    Images end in .jpg, .jpeg or .png, upper or lower case.

    Raises:
        FileNotFoundError: The list, an annotation or an image is missing.
        ValueError: An empty list or a name twice, an annotation that is none, two images of one
            name, a ``difficult`` that is neither 0 nor 1, or objects of no known class.
    """

    def __init__(
        self,
        data_root: str | Path,
        split: str = 'trainval',
        classes: Sequence[str] = VOC_CLASSES,
        pipeline: Sequence[Any] = (),
    ) -> None:
        super().__init__(pipeline)
        self.root = Path(data_root).expanduser()
        listed = self.root / 'ImageSets/Main' / f'{split}.txt'
        self.names = listed_names(listed)
        files = VOCFiles(self.root / 'JPEGImages', self.root / 'Annotations', listed)
        self.classes = tuple(classes)
        names = progress_bar(self.names, 'annotations', len(self.names))
        self.targets = np.stack([self._targets(files.annotation(name)) for name in names])
        self.files = [str(files.image(name).relative_to(self.root)) for name in self.names]
        self.labels = np.full(len(self.names), -1, dtype=np.int64)
        self.split = split

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of images and annotations."""
        pairs = zip(self.names, self.files, strict=True)
        return file_fingerprint(
            self.root, (path for name, file in pairs for path in (file, f'Annotations/{name}.xml'))
        )

    def image(self, index: int) -> Image.Image:
        """Return image ``index``."""
        return read_image(str(self.root / self.files[index]))

    def _targets(self, path: Path) -> np.ndarray:
        targets = np.full(len(self.classes), -1, dtype=np.int8)
        for item in read_annotation(path).iter('object'):
            kind = (item.findtext('name') or '').strip()
            if kind not in self.classes:
                raise ValueError(
                    f'{path} shows {kind!r}; expected one of {", ".join(self.classes)}. Set '
                    'classes to those of the data.'
                )
            shown = 0 if is_difficult(item, path) else 1
            column = self.classes.index(kind)
            targets[column] = max(targets[column], shown)
        return targets
