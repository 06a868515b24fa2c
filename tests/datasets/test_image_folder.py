"""ImageFolder: what is found, which labels it gets, and every mistake a user can make."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import ImageFolder, class_folders
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
    (tmp_path / '.notes').mkdir()
    (tmp_path / 'a.txt').touch()
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
    with pytest.raises(ValueError, match=r'1 class folders without images .*: a \(empty\)'):
        ImageFolder(root, index_cache=cache)
    (root / 'a').rmdir()
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
    with pytest.raises(ValueError, match=r'without images.*: b \(empty\)'):
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


def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged about the folder."""
    log: list[str] = []
    monkeypatch.setattr(class_folders, 'print_log', lambda text, logger, level=0: log.append(text))
    return log


UNREAD = {
    'b (empty)': [],
    'b (2 x .gif, 1 x .txt)': ['1.gif', '2.GIF', '3.txt'],
    'b (1 x .jfif)': ['deep/1.jfif'],
    'b (1 x no ending)': ['image'],
    'b (1 x hidden .png)': ['._1.png'],
}


@pytest.mark.parametrize('content', UNREAD)
@pytest.mark.parametrize('cached', [False, True])
def test_a_class_without_images_moves_no_label(tmp_path, content, cached) -> None:
    """Class b of a, b, c vanished, and the images of c took its label."""
    root = fill(tmp_path / 'data', 'a/1.png', 'c/2.png')
    (root / 'b').mkdir()
    for name in UNREAD[content]:
        (root / 'b' / name).parent.mkdir(exist_ok=True)
        (root / 'b' / name).touch()
    cache = tmp_path / 'index.json' if cached else None
    for _ in range(2):
        with pytest.raises(ValueError, match='1 class folders without images') as error:
            ImageFolder(root, index_cache=cache)
        assert content in str(error.value)
    assert ImageFolder(root, classes=['a', 'c']).labels.tolist() == [0, 1]
    assert ImageFolder(root, classes=[]).labels.tolist() == [-1, -1]
    fill(root, 'b/3.png')
    assert ImageFolder(root, index_cache=cache).labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize('cached', [False, True])
def test_a_class_behind_a_disk_that_is_away(tmp_path, cached) -> None:
    disk = fill(tmp_path / 'disk', 'b/1.png')
    root = fill(tmp_path / 'data', 'a/1.png', 'c/2.png')
    (root / 'b').symlink_to(disk / 'b')
    cache = tmp_path / 'index.json' if cached else None
    assert ImageFolder(root, index_cache=cache).labels.tolist() == [0, 1, 2]
    disk.rename(tmp_path / 'away')
    for _ in range(2):
        with pytest.raises(ValueError, match=r'1 links in .* lead nowhere: b\. .*mount the disk'):
            ImageFolder(root, index_cache=cache)
    assert ImageFolder(root, classes=['a', 'c'], index_cache=cache).labels.tolist() == [0, 1]
    (tmp_path / 'away').rename(disk)
    assert ImageFolder(root, index_cache=cache).labels.tolist() == [0, 1, 2]


def test_a_class_of_links_to_a_disk_that_is_away(tmp_path) -> None:
    """The folder is there, its images are links."""
    root = fill(tmp_path / 'data', 'a/1.png', 'c/2.png')
    (root / 'b').mkdir()
    (root / 'b/1.png').symlink_to(tmp_path / 'away/1.png')
    with pytest.raises(ValueError, match=r'without images .*: b \(1 x broken link\)'):
        ImageFolder(root)


def test_a_link_to_itself_beside_the_classes(tmp_path) -> None:
    root = fill(tmp_path / 'data', 'a/1.png')
    (root / 'self').symlink_to(root / 'self')
    with pytest.raises(ValueError, match='lead nowhere: self'):
        ImageFolder(root)


def test_what_is_left_out_without_labels_is_named(tmp_path, monkeypatch) -> None:
    """Loose images have no labels that could move: a word for each thing that is missing."""
    root = fill(tmp_path / 'data', '1.png', '2.png')
    for name in ('3.gif', '4.jfif', '5.GIF', 'readme.txt'):
        (root / name).touch()
    (root / 'empty').mkdir()
    (root / 'away').symlink_to(tmp_path / 'nowhere')
    (root / '6.png').symlink_to(tmp_path / 'nowhere.png')
    log = said(monkeypatch)
    assert len(ImageFolder(root)) == 2
    assert [line.replace(str(root), 'ROOT') for line in log] == [
        '1 images in ROOT are links to nowhere and are left out: 6.png',
        '1 links in ROOT lead nowhere, images behind them are missing: away',
        '3 files in ROOT have endings that are not read; add them to extensions, or convert them: '
        '2 x .gif, 1 x .jfif',
        '1 folders in ROOT hold no image: empty',
    ]


def test_other_endings_beside_images_of_a_class(tmp_path, monkeypatch) -> None:
    root = fill(tmp_path / 'data', 'a/1.png', 'b/1.png')
    (root / 'b/2.gif').touch()
    log = said(monkeypatch)
    assert len(ImageFolder(root)) == 2
    assert len(log) == 1 and '1 files in' in log[0] and '1 x .gif' in log[0]


def test_a_folder_of_links_to_nowhere_says_so(tmp_path) -> None:
    (tmp_path / 'a').symlink_to(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match="no images .*and 1 links to nowhere, such as 'a'"):
        ImageFolder(tmp_path)


EXCLUDED = {
    'a file that is not there': ['a/1.png', 'a/9.png'],
    'another case': ['a/1.png', 'A/2.png'],
    'a path from above the root': ['a/1.png', 'data/a/2.png'],
    'an absolute path': ['a/1.png', '/data/a/2.png'],
    'a dot before it': ['a/1.png', './a/2.png'],
    'backslashes': ['a/1.png', 'a\\2.png'],
    'a folder': ['a/1.png', 'a'],
    'none that fits': ['x.png'],
}


@pytest.mark.parametrize('name', EXCLUDED)
def test_every_line_of_exclude_is_an_image(tmp_path, name) -> None:
    root = fill(tmp_path / 'data', 'a/1.png', 'a/2.png', 'b/3.png')
    listed = tmp_path / 'exclude.txt'
    listed.write_text('\n'.join(EXCLUDED[name]))
    with pytest.raises(ValueError, match='1 of the . lines of .* name no image in') as error:
        ImageFolder(root, exclude=listed)
    assert repr(EXCLUDED[name][-1]) in str(error.value)


def test_exclude_of_a_whole_folder_fits_a_part_of_it(tmp_path) -> None:
    """Lines of classes that are not taken, and links to nowhere, are no mistakes."""
    root = fill(tmp_path / 'data', 'a/1.png', 'a/2.png', 'b/3.png')
    (root / 'a/4.png').symlink_to(root / 'nowhere.png')
    listed = tmp_path / 'exclude.txt'
    listed.write_text('a/1.png\nb/3.png\na/4.png\n')
    assert names_of(ImageFolder(root, classes=['a'], exclude=listed)) == ['a/2.png']
    listed.write_text('a/1.png\nb/8.png\n')
    with pytest.raises(ValueError, match=r"name no image in .*'b/8\.png'"):
        ImageFolder(root, classes=['a'], exclude=listed)


@pytest.mark.parametrize('kind', ['exclude', 'include', 'classes'])
def test_lists_with_a_byte_order_mark(tmp_path, kind) -> None:
    root = fill(tmp_path / 'data', 'a/1.png', 'b/2.png')
    listed = tmp_path / 'list.txt'
    listed.write_text('a\n' if kind == 'classes' else 'a/1.png\n', encoding='utf-8-sig')
    dataset = ImageFolder(root, **{kind: listed})
    assert names_of(dataset) == (['b/2.png'] if kind == 'exclude' else ['a/1.png'])


def test_a_list_in_another_encoding_is_named(tmp_path) -> None:
    root = fill(tmp_path / 'data', 'a/1.png')
    listed = tmp_path / 'list.txt'
    listed.write_text('a/1.png\n', encoding='utf-16')
    with pytest.raises(ValueError, match=r'list\.txt is no UTF-8 text'):
        ImageFolder(root, exclude=listed)
