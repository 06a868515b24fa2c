"""ImageFolder: what is found, which labels it gets, and every mistake a user can make."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import ImageFolder
from mochi_mm.registry import DATASETS


def fill(root: Path, *names: str) -> Path:
    """Put a small image at each name, its red value the number of the name."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (5, 4), (number, 0, 0)).save(root / name)
    return root


def names_of(dataset: ImageFolder) -> list[str]:
    return [Path(dataset.path(i)).relative_to(dataset.root).as_posix() for i in range(len(dataset))]


def test_class_folders_give_labels(tmp_path) -> None:
    fill(tmp_path, 'dog/1.png', 'cat/deep/er/2.PNG', 'cat/3.png', 'ant/4.bmp')
    (tmp_path / 'notes').mkdir()
    (tmp_path / 'notes/a.txt').touch()
    dataset = ImageFolder(tmp_path)
    assert dataset.classes == ('ant', 'cat', 'dog')
    assert names_of(dataset) == ['ant/4.bmp', 'cat/3.png', 'cat/deep/er/2.PNG', 'dog/1.png']
    assert dataset.labels.tolist() == [0, 1, 1, 2]
    assert dataset.labels.dtype == np.int64
    assert [dataset.image(i).getpixel((0, 0))[0] for i in range(4)] == [3, 2, 1, 0]
    assert dataset.metainfo == dict(classes=['ant', 'cat', 'dog'])
    assert dataset[3]['gt_label'] == 2


def test_loose_images_have_no_label(tmp_path) -> None:
    dataset = ImageFolder(fill(tmp_path, 'b.png', 'a.png'))
    assert dataset.classes == ()
    assert names_of(dataset) == ['a.png', 'b.png']
    assert dataset.labels.tolist() == [-1, -1]


def test_split_and_home(tmp_path, monkeypatch) -> None:
    fill(tmp_path, 'set/train/x/1.png', 'set/val/x/2.png', 'set/val/y/3.png')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert names_of(ImageFolder('~/set', split='val')) == ['x/2.png', 'y/3.png']


def test_relative_root_survives_a_change_of_directory(tmp_path, monkeypatch) -> None:
    fill(tmp_path, 'set/1.png')
    monkeypatch.chdir(tmp_path)
    dataset = ImageFolder('set')
    monkeypatch.chdir('/')
    assert dataset.image(0).size == (5, 4)


@pytest.mark.parametrize('as_file', [True, False])
def test_classes_restrict_and_sort(tmp_path, as_file) -> None:
    root = fill(tmp_path / 'data', 'a/1.png', 'b/2.png', 'c/3.png', 'loose.png')
    wanted: object = ['c', 'a']
    if as_file:
        wanted = tmp_path / 'list.txt'
        wanted.write_text('c\na\n')
    dataset = ImageFolder(root, classes=wanted)
    assert dataset.classes == ('a', 'c')
    assert names_of(dataset) == ['a/1.png', 'c/3.png']
    assert dataset.labels.tolist() == [0, 1]


def test_empty_list_of_classes_takes_all_without_labels(tmp_path) -> None:
    root = fill(tmp_path, 'train/1.png', 'val/x/2.png', '3.png')
    dataset = ImageFolder(root, classes=[])
    assert len(dataset) == 3
    assert dataset.labels.tolist() == [-1] * 3
    assert dataset.classes == ()


def test_linked_class_folders(tmp_path) -> None:
    store = fill(tmp_path / 'store', 'n1/1.png', 'n2/2.png')
    root = tmp_path / 'subset'
    root.mkdir()
    (root / 'n2').symlink_to(store / 'n2')
    assert names_of(ImageFolder(root)) == ['n2/2.png']


def test_extensions(tmp_path) -> None:
    fill(tmp_path, 'a.png', 'b.bmp')
    assert names_of(ImageFolder(tmp_path, extensions=['.BMP'])) == ['b.bmp']
    for wrong in ('.png', ['png'], []):
        with pytest.raises(ValueError, match='extensions must be a list'):
            ImageFolder(tmp_path, extensions=wrong)


def test_cache_follows_the_folder(tmp_path) -> None:
    root, cache = fill(tmp_path / 'data', 'a/1.png', 'b/2.png'), tmp_path / 'work_dirs/index.json'
    assert len(ImageFolder(root, index_cache=cache)) == 2
    listings = json.loads(cache.read_text())['listings']
    assert {key: files for key, (_, _, files) in listings.items()} == {
        '': [],
        'a': ['1.png'],
        'b': ['2.png'],
    }
    fill(root, 'b/3.png')
    assert names_of(ImageFolder(root, index_cache=str(cache))) == ['a/1.png', 'b/2.png', 'b/3.png']
    (root / 'a/1.png').unlink()
    assert ImageFolder(root, index_cache=cache).classes == ('b',)
    cache.write_text('{"version": 1')
    assert names_of(ImageFolder(root, index_cache=cache)) == ['b/2.png', 'b/3.png']


def test_no_file_is_written_without_a_cache(tmp_path, monkeypatch) -> None:
    root = fill(tmp_path / 'data', 'a/1.png')
    monkeypatch.chdir(tmp_path)
    ImageFolder(root)
    assert sorted(path.name for path in tmp_path.rglob('*')) == ['1.png', 'a', 'data']


def test_built_from_a_config(tmp_path) -> None:
    fill(tmp_path, 'a/1.png')
    dataset = DATASETS.build(
        dict(
            type='ImageFolder',
            data_root=str(tmp_path),
            pipeline=[dict(type='Resize', size=8), dict(type='PackInputs')],
        )
    )
    assert tuple(dataset[0]['inputs'][0].shape) == (3, 8, 10)
    with pytest.raises(ValueError, match="unknown argument 'ann_file'"):
        DATASETS.build(dict(type='ImageFolder', data_root=str(tmp_path), ann_file='x'))


def test_path_that_does_not_exist(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r'nowhere.*set data_root'):
        ImageFolder(tmp_path / 'nowhere')
    fill(tmp_path, 'train/a/1.png')
    with pytest.raises(FileNotFoundError, match=r"'test'.*one of its folders: train"):
        ImageFolder(tmp_path, split='test')
    with pytest.raises(ValueError, match='is a file'):
        ImageFolder(tmp_path / 'train/a/1.png')


def test_empty_folder(tmp_path) -> None:
    with pytest.raises(ValueError, match=r'\.jpg, .*no files at all'):
        ImageFolder(tmp_path, index_cache=tmp_path / 'work_dirs/index.json')
    assert list(tmp_path.iterdir()) == []


def test_folder_of_other_files(tmp_path) -> None:
    (tmp_path / 'sub').mkdir()
    for name in ('1.txt', '2.TXT', 'sub/3.npy', 'LICENSE'):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r'2 folders; found 2 x \.txt, 1 x'):
        ImageFolder(tmp_path)


def test_loose_images_beside_class_folders(tmp_path) -> None:
    fill(tmp_path, '1.png', 'a/2.png', 'b/3.png')
    with pytest.raises(ValueError, match=r'1 images itself and others in 2 sub-folders \(a, b\)'):
        ImageFolder(tmp_path)


@pytest.mark.parametrize('names', [('train', 'val'), ('Train',), ('test', 'train')])
def test_folders_that_are_splits(tmp_path, names) -> None:
    fill(tmp_path, *(f'{name}/x/1.png' for name in names))
    with pytest.raises(ValueError, match=f"look like splits.*split='{names[0]}'"):
        ImageFolder(tmp_path)
    assert ImageFolder(tmp_path, classes=list(names)).classes == tuple(sorted(names))


def test_listed_class_without_folder(tmp_path) -> None:
    fill(tmp_path, 'n01440764/1.png', 'n01443537/1.png', 'zebra/1.png')
    with pytest.raises(ValueError, match=r'1 of 2 listed.*n01440765\. Nearest.*n01440764'):
        ImageFolder(tmp_path, classes=['n01440765', 'zebra'])
    with pytest.raises(ValueError, match='100 of 100 listed'):
        ImageFolder(tmp_path, classes='imagenet100')


def test_listed_class_without_images(tmp_path) -> None:
    fill(tmp_path, 'a/1.png')
    (tmp_path / 'b').mkdir()
    with pytest.raises(ValueError, match=r'without images.*: b '):
        ImageFolder(tmp_path, classes=['a', 'b'])


def test_first_images_are_tried(tmp_path) -> None:
    (tmp_path / 'a').mkdir()
    for name in ('1.jpg', '2.jpg'):
        (tmp_path / 'a' / name).write_text('no image')
    with pytest.raises(ValueError, match=r'cannot read image .*a/2\.jpg'):
        ImageFolder(tmp_path)
    fill(tmp_path, 'a/3.png')
    assert len(ImageFolder(tmp_path)) == 3


def test_later_damage_is_named_when_reached(tmp_path) -> None:
    fill(tmp_path, 'a/1.png')
    (tmp_path / 'a/2.jpg').write_text('no image')
    dataset = ImageFolder(tmp_path)
    with pytest.raises(ValueError, match=r'a/2\.jpg'):
        dataset[1]


def test_a_missing_list_of_exclusions_is_named(tmp_path) -> None:
    fill(tmp_path / 'images', 'a/1.png')
    with pytest.raises(FileNotFoundError, match='exclude names .*none.txt.*tools/dataset/check.py'):
        ImageFolder(tmp_path / 'images', exclude=tmp_path / 'none.txt')
