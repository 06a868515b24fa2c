"""Boxes and masks in COCO layout, read strictly."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmengine.logging import print_log

from mochi_mm.files.text_file import read_json
from mochi_mm.registry import DATASETS
from mochi_mm.transfer.classes import check_metainfo
from mochi_mm.transfer.coco_content import check_coco, first_mask_fault
from mochi_mm.transfer.image_header import check_images
from mochi_mm.transfer.keyed_draws import KeyedDraws


@DATASETS.register_module()
class CocoDetection(KeyedDraws, CocoDataset):
    """mmdet's COCO data set for a file whose categories are the classes, in the same order.

    mmdet numbers labels in the order of the file, and drops objects of categories that are no
    class; both without a word. What mmdet leaves out by design, objects under a pixel, is logged.
    Takes the arguments of mmdet's ``CocoDataset``.

    Raises:
        FileNotFoundError: No annotation file, or a listed image that is not there.
        ValueError: Not COCO JSON, see :func:`check_coco`; categories other than the classes, or in
            another order; an image of another size; no object, or none left after filtering; run
            lengths where the pipeline takes polygons only.

    Attributes:
        mask_fault: Fault of the first mask that cannot be measured, None if all can.
    """

    mask_fault: str | None

    def filter_data(self) -> list[dict]:
        """Filter as mmdet does; refuse to end up with nothing."""
        kept = super().filter_data()
        if not any(item['ignore_flag'] == 0 for record in kept for item in record['instances']):
            raise ValueError(
                f'{self.ann_file}: no image has an object of the {len(self.metainfo["classes"])} '
                'classes (crowds and objects under a pixel aside); expected at least one. Is it '
                'the right file?'
            )
        return kept

    def load_data_list(self) -> list[dict]:
        """Check the file, then read it as mmdet does."""
        path = Path(self.ann_file)
        if not path.is_file():
            raise FileNotFoundError(
                f'no COCO annotations at {path}; set data_root and ann_file to where they lie.'
            )
        check_metainfo(self.metainfo)
        objects = self._check(path)
        self._metainfo['ann_file'] = str(path)  # for the metric
        records = super().load_data_list()
        for record in records:
            if not Path(record['img_path']).is_file():
                raise FileNotFoundError(
                    f'{path} lists an image that is not at {record["img_path"]}; set '
                    "data_prefix=dict(img=...) to the images' folder, or add the image."
                )
        check_images(records, str(path))
        left_out = objects - sum(len(record['instances']) for record in records)
        if left_out:
            print_log(
                f'{path}: {left_out} of {objects} objects are left out, since they are under a '
                'pixel in width, height or area, or marked with ignore',
                'current',
            )
        return records

    def _check(self, path: Path) -> int:
        """Check the content; return the number of its objects."""
        try:
            content = read_json(path)
        except ValueError as error:
            raise ValueError(
                f'{path} is no COCO annotation file ({error}); expected JSON with images, '
                'annotations and categories.'
            ) from error
        if path.read_bytes()[:3] == codecs.BOM_UTF8:
            raise ValueError(
                f"{path} begins with a byte-order mark, which COCO's own reader refuses; save it "
                'as UTF-8 without one.'
            )
        steps = [s for s in self.pipeline.transforms if getattr(s, 'with_mask', False)]
        check_coco(content, str(path), self.metainfo['classes'], bool(steps))
        if not all(getattr(step, 'poly2mask', True) for step in steps):
            self._only_polygons(content, path)
        self.mask_fault = None if steps else first_mask_fault(content, str(path))
        return len(content['annotations'])

    @staticmethod
    def _only_polygons(content: Any, path: Path) -> None:
        """Raise where mmdet would ignore an object, since its mask is no polygon."""
        for i, record in enumerate(content['annotations']):
            if isinstance(record['segmentation'], dict) and not record.get('iscrowd'):
                raise ValueError(
                    f'{path}: annotations[{i}] (id {record["id"]}) is given by run lengths, which '
                    'LoadAnnotations(poly2mask=False) ignores; expected polygons, or '
                    'poly2mask=True in the pipeline.'
                )
