"""What is read from a VOC folder, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.transfer import VOCDetection

ANNOTATION = """<annotation><size><width>30</width><height>20</height></size>
<object><name>disc</name><difficult>{difficult}</difficult>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>2</ymax></bndbox></object></annotation>"""


def read(root: Path, split: str = 'train', **options: Any) -> VOCDetection:
    options.setdefault('metainfo', dict(classes=KINDS))
    return VOCDetection(
        data_root=str(root),
        ann_file=f'ImageSets/Main/{split}.txt',
        filter_cfg=dict(filter_empty_gt=True),
        **options,
    )


@pytest.fixture
def folder(voc_scenes: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(voc_scenes, tmp_path / 'voc'))


def write_one(folder: Path, difficult: int) -> None:
    (folder / 'Annotations/train_000000.xml').write_text(ANNOTATION.format(difficult=difficult))


def test_coordinates_cover_whole_pixels(folder: Path) -> None:
    """A box from pixel 1 to 30 and row 2 alone is 30 wide and 1 high, from (0, 1) on."""
    write_one(folder, 0)
    info = read(folder).get_data_info(0)
    assert info['instances'] == [dict(bbox=[0, 1, 30, 2], bbox_label=0, ignore_flag=0)]
    assert (info['height'], info['width'], info['img_id']) == (20, 30, 'train_000000')


@pytest.mark.parametrize(
    ('options', 'ignored'),
    [({}, 0), (dict(train_on_difficult=False), 1), (dict(test_mode=True), 1)],
)
def test_difficult_objects(folder: Path, options: dict[str, Any], ignored: int) -> None:
    write_one(folder, 1)
    assert read(folder, **options).get_data_info(0)['instances'][0]['ignore_flag'] == ignored


def test_every_object_of_every_image_is_read(voc_scenes: Path) -> None:
    data = read(voc_scenes)
    written = sum(
        path.read_text().count('<object>')
        for path in (voc_scenes / 'Annotations').glob('train_*.xml')
    )
    assert len(data) == 6
    assert sum(len(data.get_data_info(i)['instances']) for i in range(6)) == written > 6


def test_ignored_classes(voc_scenes: Path) -> None:
    some = read(voc_scenes, metainfo=dict(classes=KINDS[:5]), ignored_classes=KINDS[5:])
    labels = [o['bbox_label'] for i in range(len(some)) for o in some.get_data_info(i)['instances']]
    assert labels and max(labels) < 5


def spoil_xml(folder: Path, text: str) -> None:
    (folder / 'Annotations/train_000001.xml').write_text(text)


MISTAKES = {
    'no annotation': (
        lambda f: (f / 'Annotations/train_000002.xml').unlink(),
        FileNotFoundError,
        "train.txt lists 'train_000002' but there is no annotation at .*train_000002.xml",
    ),
    'no image': (
        lambda f: (f / 'JPEGImages/train_000002.jpg').unlink(),
        FileNotFoundError,
        'there is no image at .*train_000002.jpg',
    ),
    'no list': (
        lambda f: (f / 'ImageSets/Main/train.txt').unlink(),
        FileNotFoundError,
        'no list of images at .*train.txt; expected a VOC folder',
    ),
    'empty split': (
        lambda f: (f / 'ImageSets/Main/train.txt').write_text('\n'),
        ValueError,
        'train.txt lists no image',
    ),
    'unknown class': (
        lambda f: spoil_xml(f, ANNOTATION.format(difficult=0).replace('disc', 'blob')),
        ValueError,
        "train_000001.xml has an object of class 'blob'; expected one of disc, square",
    ),
    'broken annotation': (
        lambda f: spoil_xml(f, '<annotation><object>'),
        ValueError,
        'train_000001.xml is no VOC annotation',
    ),
    'no size': (
        lambda f: spoil_xml(f, '<annotation></annotation>'),
        ValueError,
        'train_000001.xml is no VOC annotation',
    ),
    'box without area': (
        lambda f: spoil_xml(f, ANNOTATION.format(difficult=0).replace('>30</xmax', '>0</xmax')),
        ValueError,
        r'train_000001.xml has a box .* = \(1.0, 2.0, 0.0, 2.0\)',
    ),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_mistakes(folder: Path, name: str) -> None:
    spoil, error, message = MISTAKES[name]
    spoil(folder)
    with pytest.raises(error, match=re.compile(message, re.DOTALL)):
        read(folder)


def test_nothing_left_after_filtering(voc_scenes: Path) -> None:
    with pytest.raises(ValueError, match='no image has an object of'):
        read(voc_scenes, metainfo=dict(classes=('cat',)), ignored_classes=KINDS)
