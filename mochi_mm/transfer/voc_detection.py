"""Boxes in PASCAL VOC layout, read strictly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mmdet.datasets import VOCDataset, XMLDataset

from mochi_mm.datasets.voc_files import VOCFiles, is_difficult, listed_names, read_annotation
from mochi_mm.registry import DATASETS
from mochi_mm.transfer.classes import check_metainfo
from mochi_mm.transfer.image_header import check_images
from mochi_mm.transfer.keyed_draws import KeyedDraws

# Pixels that a box may leave the image by: tools that count from 0 write one of them.
SLACK = 1


@DATASETS.register_module()
class VOCDetection(KeyedDraws, XMLDataset):
    """A folder with ``JPEGImages``, ``Annotations`` and ``ImageSets/Main/<split>.txt``.

    Images end in .jpg, .jpeg or .png, upper or lower case; of two with one name neither is taken.
    Nothing is skipped in silence: see Raises. Coordinates and difficult objects follow detectron2,
    on which the MoCo protocol rests: pixel k (counted from 1) covers [k - 1, k), so a box of the
    file (xmin, ymin, xmax, ymax) becomes (xmin - 1, ymin - 1, xmax, ymax); difficult objects are
    trained on like others and left out of the evaluation.

    Args:
        ann_file: List of image names, one per line, relative to ``data_root``.
        data_prefix: ``sub_data_root`` names the folder that holds the three, under ``data_root``.
        ignored_classes: Names in the annotations to leave out on purpose.
        train_on_difficult: False ignores difficult objects in training too, as mmdet does.
        **kwargs: As in mmdet's ``XMLDataset``; ``metainfo=dict(classes=...)`` replaces the 20 of
            VOC.

    Raises:
        FileNotFoundError: A missing list or annotation, or an image that is not there.
        ValueError: An empty list or a name twice, an unknown class, a box without area or outside
            of the image, several boxes of one object, an unreadable annotation or image, two images
            of one name, one of another size than the annotation says, an unknown key of
            ``metainfo``, or no image left after filtering.
    """

    METAINFO = VOCDataset.METAINFO

    def __init__(
        self,
        ann_file: str = '',
        data_prefix: dict | None = None,
        ignored_classes: Sequence[str] = (),
        train_on_difficult: bool = True,
        **kwargs: Any,
    ) -> None:
        if isinstance(ignored_classes, str):
            raise ValueError(
                f'ignored_classes is the text {ignored_classes!r}; expected a list of names: '
                f'[{ignored_classes!r}].'
            )
        self.ignored_classes = tuple(ignored_classes)
        self.train_on_difficult = train_on_difficult
        prefix = dict(sub_data_root='') if data_prefix is None else data_prefix
        super().__init__(ann_file=ann_file, data_prefix=prefix, **kwargs)

    def filter_data(self) -> list[dict]:
        """Filter as mmdet does; refuse to end up with nothing."""
        kept = super().filter_data()
        if not kept:
            raise ValueError(
                f'{self.ann_file}: no image has an object of {self.metainfo["classes"]}; expected '
                'at least one. Is it the right split, and are these the right classes?'
            )
        return kept

    def load_data_list(self) -> list[dict]:
        """Return one record per image of the list."""
        check_metainfo(self.metainfo)
        self.cat2label = {name: i for i, name in enumerate(self.metainfo['classes'])}
        root = Path(self.sub_data_root)
        files = VOCFiles(root / self.img_subdir, root / self.ann_subdir, self.ann_file)
        records = [self._record(name, files) for name in listed_names(Path(self.ann_file))]
        check_images(records, self.ann_file)
        return records

    def _record(self, name: str, files: VOCFiles) -> dict[str, Any]:
        xml, image = files.annotation(name), files.image(name)
        tree = read_annotation(xml)
        try:
            size = [int(tree.findtext(f'size/{side}', 'none')) for side in ('height', 'width')]
        except ValueError as error:
            raise ValueError(
                f'{xml} is no VOC annotation ({error}); expected XML with size/width and '
                'size/height.'
            ) from error
        instances = [self._instance(node, xml, *size) for node in tree.iter('object')]
        return dict(
            img_id=name,
            img_path=str(image),
            xml_path=str(xml),
            height=size[0],
            width=size[1],
            instances=[instance for instance in instances if instance],
        )

    def _instance(
        self, node: ElementTree.Element, xml: Path, height: int, width: int
    ) -> dict[str, Any]:
        """Return one object, or nothing if its class is ignored."""
        name = node.findtext('name')
        if name in self.ignored_classes:
            return {}
        if name not in self.cat2label:
            raise ValueError(
                f'{xml} has an object of class {name!r}; expected one of '
                f'{", ".join(self.cat2label)}. Correct metainfo.classes, or list it in '
                'ignored_classes.'
            )
        box = _box(node, xml, height, width)
        difficult = is_difficult(node, xml)
        ignored = difficult and (self.test_mode or not self.train_on_difficult)
        return dict(bbox=box, bbox_label=self.cat2label[name], ignore_flag=int(ignored))


def _box(node: ElementTree.Element, xml: Path, height: int, width: int) -> list[float]:
    """Return the box of an object, in continuous coordinates."""
    if len(node.findall('bndbox')) > 1:
        raise ValueError(
            f'{xml} has an object ({node.findtext("name")}) of several bndbox; expected one object '
            'a box.'
        )
    texts = [node.findtext(f'bndbox/{tag}', 'none') for tag in ('xmin', 'ymin', 'xmax', 'ymax')]
    where = f'{xml} has a box (xmin, ymin, xmax, ymax) = ({", ".join(texts)})'
    try:
        x0, y0, x1, y1 = (float(text) for text in texts)
    except ValueError:
        raise ValueError(f'{where}; expected four numbers.') from None
    box = [x0 - 1, y0 - 1, x1, y1]
    if not (box[2] > box[0] and box[3] > box[1]):
        raise ValueError(f'{where}; expected four numbers, min not above max.')
    if min(box) < -SLACK or x1 > width + SLACK or y1 > height + SLACK:
        raise ValueError(
            f'{where}, which leaves the image of (width, height) = {(width, height)}; expected '
            'pixels from 1 to these.'
        )
    return box
