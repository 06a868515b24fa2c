"""What is read from a VOC folder, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('mmdet', reason='mmdet is not installed')

from PIL import Image

from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.transfer import VOCDetection

ANNOTATION = """<annotation><size><width>64</width><height>64</height></size>
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
    assert (info['height'], info['width'], info['img_id']) == (64, 64, 'train_000000')


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


def spoil_part(folder: Path, old: str, new: str) -> None:
    """Write a good annotation with one part replaced."""
    good = ANNOTATION.format(difficult=0)
    assert old in good
    spoil_xml(folder, good.replace(old, new))


def list_as(folder: Path, line: str) -> None:
    """Write the list with each name replaced by ``line``."""
    path = folder / 'ImageSets/Main/train.txt'
    names = path.read_text().split()
    path.write_text(''.join(line.format(name) for name in names))


def rename(folder: Path, old: str, new: str) -> None:
    for path in (folder / f'Annotations/{old}.xml', folder / f'JPEGImages/{old}.jpg'):
        path.rename(path.with_stem(new))
    listed = folder / 'ImageSets/Main/train.txt'
    listed.write_text(listed.read_text().replace(old, new))


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
        'no list of images at .*train.txt .from .*; expected a VOC folder',
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
        r'train_000001.xml has a box .* = \(1, 2, 0, 2\)',
    ),
    'difficult in words': (
        lambda f: spoil_part(f, '>0</difficult', '>Unspecified</difficult'),
        ValueError,
        'train_000001.xml has an object with <difficult>Unspecified</difficult>; expected 0 or 1',
    ),
    'a box in words': (
        lambda f: spoil_part(f, '>1</xmin', '>abc</xmin'),
        ValueError,
        r'train_000001.xml has a box .* = \(abc, 2, 30, 2\); expected four numbers',
    ),
    'half a box': (
        lambda f: spoil_part(f, '<ymax>2</ymax>', ''),
        ValueError,
        r'train_000001.xml has a box .* = \(1, 2, 30, none\); expected four numbers',
    ),
    'a box that is no number': (
        lambda f: spoil_part(f, '>30</xmax', '>nan</xmax'),
        ValueError,
        'train_000001.xml has a box .*; expected four numbers',
    ),
    'a box outside': (
        lambda f: spoil_part(f, '>30</xmax', '>5000</xmax'),
        ValueError,
        r'train_000001.xml has a box .* leaves the image of \(width, height\) = \(64, 64\)',
    ),
    'a box before the image': (
        lambda f: spoil_part(f, '>1</xmin', '>-1</xmin'),
        ValueError,
        'train_000001.xml has a box .* leaves the image',
    ),
    'another size': (
        lambda f: spoil_part(f, '<width>64', '<width>65'),
        ValueError,
        r'train_000001.jpg has .* = \(64, 64\) but .*train_000001.xml says \(65, 64\)',
    ),
    'an empty image': (
        lambda f: (f / 'JPEGImages/train_000002.jpg').write_bytes(b''),
        ValueError,
        'train_000002.jpg is empty',
    ),
    'no image in the file': (
        lambda f: (f / 'JPEGImages/train_000002.jpg').write_text('<html>'),
        ValueError,
        'train_000002.jpg is no image',
    ),
    'a list of one class': (
        lambda f: list_as(f, '{}  1\n'),
        FileNotFoundError,
        "lists 'train_000000  1' .* a second column, is not taken",
    ),
    'another root': (
        lambda f: spoil_xml(f, '<html><body/></html>'),
        ValueError,
        'train_000001.xml is no VOC annotation: its root is <html>; expected <annotation>',
    ),
    'an unknown encoding': (
        lambda f: spoil_part(f, '<annotation>', '<?xml version="1.0" encoding="x"?><annotation>'),
        ValueError,
        'train_000001.xml is no VOC annotation .unknown encoding',
    ),
    'two boxes of one object': (
        lambda f: spoil_part(f, '</bndbox>', '</bndbox><bndbox/>'),
        ValueError,
        r'train_000001.xml has an object \(disc\) of several bndbox',
    ),
    'difficult without a word': (
        lambda f: spoil_part(f, '>0</difficult', '></difficult'),
        ValueError,
        'has an object with <difficult></difficult>; expected 0 or 1',
    ),
    'two images of one name': (
        lambda f: (f / 'JPEGImages/train_000002.PNG').touch(),
        ValueError,
        "lists 'train_000002', but .*JPEGImages holds train_000002.PNG and train_000002.jpg",
    ),
    'an image of another ending': (
        lambda f: (f / 'JPEGImages/train_000002.jpg').rename(f / 'JPEGImages/train_000002.bmp'),
        FileNotFoundError,
        r'no image at .*train_000002.jpg \(nor .jpeg, .png, in any case\)',
    ),
    'every name twice': (
        lambda f: list_as(f, '{0}\n{0}\n'),
        ValueError,
        "train.txt lists 6 images more than once, such as 'train_000000'",
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


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(ignored_classes='disc'), r"ignored_classes is the text 'disc'; .*\['disc'\]"),
        (dict(metainfo=dict(CLASSES=KINDS)), "metainfo has 'CLASSES', which nothing reads"),
        (
            dict(metainfo=dict(classes='disc')),
            r"metainfo.classes is the text 'disc'; .*\('disc',\)",
        ),
        (dict(metainfo=dict(classes=('disc', 'disc'))), 'each once'),
        (dict(metainfo=dict(classes=())), 'at least one name'),
        (dict(metainfo=dict(classes=('disc ', 'square'))), "has the name 'disc '"),
        (dict(metainfo=dict(classes=('disc', ''))), "has the name ''"),
        (dict(metainfo=dict(classes=('disc', 3))), 'has the name 3'),
    ],
)
def test_wrong_settings(voc_scenes: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(voc_scenes, **options)


def test_names_with_blanks(folder: Path) -> None:
    rename(folder, 'train_000003', 'my photo 3')
    data = read(folder)
    assert data.get_data_info(3)['img_id'] == 'my photo 3' and len(data) == 6


def test_tools_that_count_from_zero(folder: Path) -> None:
    """A pixel beside the image passes: which tool wrote the file cannot be known."""
    spoil_part(folder, '>1</xmin', '>0</xmin')
    assert read(folder).get_data_info(1)['instances'][0]['bbox'] == [-1, 1, 30, 2]


@pytest.mark.parametrize('ending', ['.JPG', '.jpeg', '.JPEG', '.png', '.PNG'])
def test_endings_of_images(folder: Path, ending: str) -> None:
    path = folder / 'JPEGImages/train_000002.jpg'
    with Image.open(path) as image:
        image.save(path.with_suffix(ending))
    path.unlink()
    data = read(folder)
    assert Path(data.get_data_info(2)['img_path']).name == f'train_000002{ending}'
    assert Path(data.get_data_info(1)['img_path']).name == 'train_000001.jpg'


def test_a_list_with_a_byte_order_mark(folder: Path) -> None:
    path = folder / 'ImageSets/Main/train.txt'
    path.write_text(path.read_text(), encoding='utf-8-sig')
    assert read(folder).get_data_info(0)['img_id'] == 'train_000000'


def test_no_mark_of_difficulty_is_none(folder: Path) -> None:
    spoil_part(folder, '<difficult>0</difficult>', '')
    assert read(folder, test_mode=True).get_data_info(1)['instances'][0]['ignore_flag'] == 0


def test_a_file_of_names_with_a_byte_order_mark(voc_scenes: Path, tmp_path: Path) -> None:
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(KINDS), encoding='utf-8-sig')
    with pytest.raises(ValueError, match=r"has the name '\\ufeffdisc'; .* byte-order mark"):
        read(voc_scenes, metainfo=dict(classes=str(names)))
