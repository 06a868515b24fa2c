"""Classes of VOC images, difficult ones apart, on exported scenes and on a hand-made annotation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import VOCClassification
from mochi_mm.datasets.shape_scenes import ShapeScenes
from mochi_mm.datasets.shapes.export import export_voc

OBJECT = '<object><name>{}</name><difficult>{}</difficult></object>'


def write(root: Path, name: str, objects: list[tuple[str, int]]) -> None:
    for folder in ('Annotations', 'JPEGImages', 'ImageSets/Main'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    text = ''.join(OBJECT.format(*item) for item in objects)
    (root / f'Annotations/{name}.xml').write_text(f'<annotation>{text}</annotation>')
    Image.new('RGB', (6, 5), (10, 20, 30)).save(root / f'JPEGImages/{name}.jpg')
    with open(root / 'ImageSets/Main/test.txt', 'a') as file:
        file.write(f'{name}\n')


def test_targets_of_exported_scenes(tmp_path: Path) -> None:
    scenes = ShapeScenes(num_scenes=6, split='val', image_size=32, mixed=True)
    export_voc(scenes, tmp_path)
    dataset = VOCClassification(tmp_path, 'val', scenes.classes)
    assert dataset.targets.shape == (6, 10) and dataset.labels.tolist() == [-1] * 6
    for index in range(6):
        shown = {item.kind for item in scenes.scene(index).objects}
        wanted = [1 if kind in shown else -1 for kind in range(10)]
        assert dataset.targets[index].tolist() == wanted
        near = np.asarray(dataset.image(index), float) - scenes.scene(index).image
        assert np.abs(near).mean() < 12  # JPEG


def test_difficult_objects(tmp_path: Path) -> None:
    write(tmp_path, 'a', [('cat', 1), ('cat', 0), ('dog', 1)])
    write(tmp_path, 'b', [])
    dataset = VOCClassification(tmp_path, 'test', ['bird', 'cat', 'dog'])
    assert dataset.targets.tolist() == [[-1, 1, 0], [-1, -1, -1]]


@pytest.mark.parametrize('changed', ['JPEGImages/b.jpg', 'Annotations/b.xml'])
def test_the_fingerprint_sees_images_and_annotations(tmp_path: Path, changed: str) -> None:
    for name in 'ab':
        write(tmp_path, name, [('cat', 0)])
    dataset = VOCClassification(tmp_path, 'test')
    first = dataset.fingerprint()
    assert dataset.fingerprint() == first
    os.utime(tmp_path / changed, ns=(1, 1))
    assert dataset.fingerprint() != first


def test_mistakes(tmp_path: Path) -> None:
    write(tmp_path, 'a', [('unicorn', 0)])
    with pytest.raises(ValueError, match="shows 'unicorn'; expected one of aeroplane"):
        VOCClassification(tmp_path, 'test')
    with pytest.raises(FileNotFoundError, match='no list of images at .*trainval.txt'):
        VOCClassification(tmp_path)
    (tmp_path / 'Annotations/a.xml').unlink()
    with pytest.raises(FileNotFoundError, match='no annotation .*a.xml'):
        VOCClassification(tmp_path, 'test')
    (tmp_path / 'ImageSets/Main/test.txt').write_text('\n')
    with pytest.raises(ValueError, match='lists no image'):
        VOCClassification(tmp_path, 'test')


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('annotation>', 'html>', 'its root is <html>; expected <annotation>'),
        ('>0</difficult>', '>Unspecified</difficult>', '<difficult>Unspecified</difficult>'),
        ('>0</difficult>', '>2</difficult>', 'expected 0 or 1'),
    ],
)
def test_annotations_are_read_strictly(tmp_path: Path, old: str, new: str, message: str) -> None:
    write(tmp_path, 'a', [('cat', 0)])
    path = tmp_path / 'Annotations/a.xml'
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=rf'a\.xml .*{message}'):
        VOCClassification(tmp_path, 'test')


def test_a_missing_image_is_found_at_the_start(tmp_path: Path) -> None:
    write(tmp_path, 'a', [('cat', 0)])
    (tmp_path / 'JPEGImages/a.jpg').rename(tmp_path / 'JPEGImages/a.bmp')
    with pytest.raises(FileNotFoundError, match=r"lists 'a' but there is no image at .*a\.jpg"):
        VOCClassification(tmp_path, 'test')


def test_a_name_twice_and_a_list_of_one_class(tmp_path: Path) -> None:
    write(tmp_path, 'a', [('cat', 0)])
    listed = tmp_path / 'ImageSets/Main/test.txt'
    listed.write_text('a\na\n')
    with pytest.raises(ValueError, match="1 images more than once, such as 'a'"):
        VOCClassification(tmp_path, 'test')
    listed.write_text('a -1\n')
    with pytest.raises(FileNotFoundError, match="lists 'a -1' .*a second column, is not taken"):
        VOCClassification(tmp_path, 'test')


@pytest.mark.parametrize('ending', ['.JPG', '.jpeg', '.png', '.PNG'])
def test_endings_of_images(tmp_path: Path, ending: str) -> None:
    write(tmp_path, 'my image', [('cat', 0)])
    path = tmp_path / 'JPEGImages/my image.jpg'
    first = VOCClassification(tmp_path, 'test').fingerprint()
    path.rename(path.with_suffix(ending))
    dataset = VOCClassification(tmp_path, 'test')
    assert dataset.image(0).size == (6, 5)
    os.utime(path.with_suffix(ending), ns=(1, 1))
    assert dataset.fingerprint() != first


def test_a_list_with_a_byte_order_mark(tmp_path: Path) -> None:
    write(tmp_path, 'a', [('cat', 0)])
    (tmp_path / 'ImageSets/Main/test.txt').write_text('a\n', encoding='utf-8-sig')
    assert VOCClassification(tmp_path, 'test').names == ['a']
