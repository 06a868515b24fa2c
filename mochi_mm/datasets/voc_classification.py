"""PASCAL VOC as a classification data set with several classes an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.file_fingerprint import file_fingerprint
from mochi_mm.datasets.read_image import read_image
from mochi_mm.files.inner_path import check_inner
from mochi_mm.files.regular_file import open_regular
from mochi_mm.files.text_file import read_text
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

    Raises:
        FileNotFoundError: The list or an annotation is missing.
        ValueError: An empty list, or objects of no known class.
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
        if not listed.is_file():
            raise FileNotFoundError(
                f'no list {listed} (from {Path.cwd()}); expected a VOC folder: set data_root to '
                'the one that holds ImageSets, JPEGImages and Annotations, split to a list in it.'
            )
        names = [line.split()[0] for line in read_text(listed).splitlines() if line.strip()]
        self.names = [check_inner(name, str(listed)) for name in names]
        if not self.names:
            raise ValueError(f'{listed} lists no image.')
        self.classes = tuple(classes)
        shown = progress_bar(self.names, 'annotations', len(self.names))
        self.targets = np.stack([self._targets(name) for name in shown])
        self.labels = np.full(len(self.names), -1, dtype=np.int64)
        self.split = split

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of images and annotations."""
        places = (('JPEGImages', 'jpg'), ('Annotations', 'xml'))
        files = (f'{folder}/{name}.{end}' for name in self.names for folder, end in places)
        return file_fingerprint(self.root, files)

    def image(self, index: int) -> Image.Image:
        """Return image ``index``."""
        return read_image(str(self.root / 'JPEGImages' / f'{self.names[index]}.jpg'))

    def _targets(self, name: str) -> np.ndarray:
        path = self.root / 'Annotations' / f'{name}.xml'
        if not path.is_file():
            raise FileNotFoundError(f'no annotation {path} of an image that is listed.')
        targets = np.full(len(self.classes), -1, dtype=np.int8)
        try:
            with open_regular(path) as file:
                root = ElementTree.parse(file).getroot()
        except ElementTree.ParseError as error:
            raise ValueError(f'{path} is no VOC annotation ({error}); expected XML.') from error
        for item in root.iter('object'):
            kind = (item.findtext('name') or '').strip()
            if kind not in self.classes:
                raise ValueError(
                    f'{path} shows {kind!r}; expected one of {", ".join(self.classes)}. Set '
                    'classes to those of the data.'
                )
            shown = 0 if (item.findtext('difficult') or '0').strip() == '1' else 1
            column = self.classes.index(kind)
            targets[column] = max(targets[column], shown)
        return targets
