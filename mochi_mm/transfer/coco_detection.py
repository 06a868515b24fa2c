"""Boxes and masks in COCO layout, read strictly."""

from __future__ import annotations

import json
from pathlib import Path

from mmdet.datasets import CocoDataset

from mochi_mm.registry import DATASETS
from mochi_mm.transfer.keyed_draws import KeyedDraws


@DATASETS.register_module()
class CocoDetection(KeyedDraws, CocoDataset):
    """mmdet's COCO data set for a file whose categories are the classes, in the same order.

    mmdet numbers labels in the order of the file, and drops objects of categories that are no
    class; both without a word. Takes the arguments of mmdet's ``CocoDataset``.

    Raises:
        FileNotFoundError: No annotation file, or a listed image that is not there.
        ValueError: Not COCO JSON; categories other than the classes, or in another order; no
            image, or none left after filtering.
    """

    def filter_data(self) -> list[dict]:
        """Filter as mmdet does; refuse to end up with nothing."""
        kept = super().filter_data()
        if not kept:
            raise ValueError(
                f'{self.ann_file}: no image has an object of the {len(self.metainfo["classes"])} '
                'classes; expected at least one. Is it the right file?'
            )
        return kept

    def load_data_list(self) -> list[dict]:
        """Check the file, then read it as mmdet does."""
        path = Path(self.ann_file)
        if not path.is_file():
            raise FileNotFoundError(
                f'no COCO annotations at {path}; set data_root and ann_file to where they lie.'
            )
        self._check(path)
        self._metainfo['ann_file'] = str(path)  # for the metric
        records = super().load_data_list()
        for record in records:
            if not Path(record['img_path']).is_file():
                raise FileNotFoundError(
                    f'{path} lists an image that is not at {record["img_path"]}; set '
                    "data_prefix=dict(img=...) to the images' folder, or add the image."
                )
        return records

    def _check(self, path: Path) -> None:
        try:
            content = json.loads(path.read_text())
            found = [category['name'] for category in content['categories']]
            images = content['images']
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{path} is no COCO annotation file ({type(error).__name__}: {error}); expected '
                'JSON with images, annotations and categories.'
            ) from error
        if not images:
            raise ValueError(f'{path} lists no image; expected at least one.')
        wanted = list(self.metainfo['classes'])
        if found == wanted:
            return
        missing = [name for name in wanted if name not in found]
        unknown = [name for name in found if name not in wanted]
        if missing or unknown:
            raise ValueError(
                f'categories of {path} are not the classes of the config: missing from the file '
                f'{missing or "none"}, unknown to the config {unknown or "none"}. Set '
                f'metainfo.classes to {tuple(found)} and num_classes to {len(found)}.'
            )
        raise ValueError(
            f'categories of {path} are the classes of the config in another order, so labels '
            f'would be mixed up; set metainfo.classes to {tuple(found)}.'
        )
