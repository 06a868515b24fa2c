"""The cached index: used while true, made anew otherwise, never half-written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from mochi_mm.datasets import index_cache
from mochi_mm.datasets.folder_index import FolderIndex
from mochi_mm.datasets.index_cache import load_index

ENDINGS = ('.jpg', '.png')


def age(root: Path) -> None:
    """Make all directories look as if they had last changed an hour ago."""
    for folder, _, _ in os.walk(root):
        os.utime(folder, (time.time() - 3600,) * 2)


@pytest.fixture
def root(tmp_path) -> Path:
    root = tmp_path / 'data'
    for name in (
        'b/2.jpg',
        'b/1.JPG',
        'a/x/3.png',
        'a/4.jpg',
        'a/readme.txt',
        'a-c/5.jpg',
        '.hidden/6.jpg',
        'a/._7.jpg',
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    age(root)
    return root


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / 'work_dirs' / 'index.json'


@pytest.fixture
def scans(monkeypatch) -> list[str]:
    """The folders listed so far."""
    made, scan = [], FolderIndex.scan
    monkeypatch.setattr(
        FolderIndex, 'scan', lambda root, *rest: made.append(str(root)) or scan(root, *rest)
    )
    return made


def warnings_into(monkeypatch) -> list[str]:
    log: list[str] = []
    monkeypatch.setattr(index_cache, 'print_log', lambda text, **_: log.append(text))
    return log


def files(root, cache=None, selected=None, extensions=ENDINGS) -> list[str]:
    index = load_index(root, extensions, selected, cache)
    return ['/'.join(filter(None, pair)) for pair in index.files()]


def test_files_in_order(root) -> None:
    assert files(root) == ['a/4.jpg', 'a/x/3.png', 'a-c/5.jpg', 'b/1.JPG', 'b/2.jpg']
    assert FolderIndex.scan(root, ENDINGS).other == {'.txt': 1}


def test_cache_is_used_and_gives_the_same(root, cache, scans) -> None:
    first = files(root, cache)
    assert files(root, cache) == first == files(root)
    assert scans == [str(root)] * 2  # the third call has no cache
    assert [path.name for path in cache.parent.iterdir()] == ['index.json']


def test_what_killed_processes_left_goes_after_an_hour(root, cache) -> None:
    """Also where the cache is true and nothing is written; files of others stay."""
    cache.parent.mkdir()
    left, young = (cache.parent / f'index.json.{digit * 32}.tmp' for digit in 'ab')
    others = [cache.parent / name for name in ('index.json.tmp', f'more.json.{"a" * 32}.tmp')]
    for _ in range(2):
        for path in (left, young, *others):
            path.touch()
        for path in (left, *others):
            os.utime(path, (time.time() - 3700,) * 2)
        assert len(files(root, cache)) == 5
        assert sorted(cache.parent.iterdir()) == sorted([cache, young, *others])


def change_add(root: Path) -> None:
    (root / 'b/9.jpg').touch()


def change_remove(root: Path) -> None:
    (root / 'a/x/3.png').unlink()


def change_rename(root: Path) -> None:
    (root / 'a/4.jpg').rename(root / 'a/5.jpg')


def change_new_folder(root: Path) -> None:
    (root / 'new').mkdir()
    (root / 'new/1.jpg').touch()


def change_folder_gone(root: Path) -> None:
    (root / 'a-c/5.jpg').unlink()
    (root / 'a-c').rmdir()


def change_folder_becomes_file(root: Path) -> None:
    change_folder_gone(root)
    (root / 'a-c').touch()


@pytest.mark.parametrize(
    'change',
    [
        change_add,
        change_remove,
        change_rename,
        change_new_folder,
        change_folder_gone,
        change_folder_becomes_file,
    ],
)
def test_changed_folder_is_listed_again(root, cache, scans, change) -> None:
    before = files(root, cache)
    change(root)
    after = files(root, cache)
    assert after == files(root) != before
    age(root)
    count = len(scans)
    files(root, cache)  # aged: outdated once more
    assert files(root, cache) == after
    assert len(scans) == count + 1


def test_change_within_the_tick_of_the_clock(root, cache) -> None:
    (root / 'b/8.jpg').touch()
    files(root, cache)
    status = os.stat(root / 'b')
    (root / 'b/9.jpg').touch()
    os.utime(root / 'b', ns=(status.st_atime_ns, status.st_mtime_ns))
    assert files(root, cache)[-1] == 'b/9.jpg'


def test_other_arguments_are_another_index(root, cache, tmp_path) -> None:
    files(root, cache)
    assert files(root, cache, extensions=('.png',)) == ['a/x/3.png']
    assert files(root, cache, selected=('b',)) == ['b/1.JPG', 'b/2.jpg']
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other/1.jpg').touch()
    assert files(tmp_path / 'other', cache) == ['1.jpg']


@pytest.mark.parametrize(
    'content',
    [
        '',
        '{',
        '[]',
        '{}',
        'null',
        '{"version": 0}',
        '\x00\xff',
        '[' * 100_000,
        '{"version":1,"root":"r","extensions":[".jpg"],"selected":null,"built":1,'
        '"listings":{"":[1,"ab",[]]},"other":{},"broken_links":[]}',
        '{"version":2,"root":"r","extensions":[".jpg"],"selected":null,"built":1,'
        '"listings":{"":[1,"ab",[]]},"other":{},"broken_links":[],"repeated":[]}',
        '{"version":2,"root":"r","extensions":[".jpg"],"selected":null,"built":1,'
        '"listings":{},"other":{},"broken_links":[],"repeated":[]}',
        '{"version":2,"root":"r","extensions":[".jpg"],"selected":null,"built":1,'
        '"listings":{"":[1,["a","b"],[]],"a":[1,[],["1.jpg"]]},"other":{},"broken_links":[],'
        '"repeated":[]}',
    ],
)
def test_corrupted_cache_is_replaced(root, cache, content, monkeypatch) -> None:
    log = []
    monkeypatch.setattr(index_cache, 'print_log', lambda text, **_: log.append(text))
    cache.parent.mkdir()
    cache.write_text(content, encoding='latin-1')
    assert files(root, cache) == files(root)
    assert len(log) == 1
    assert str(cache) in log[0]
    assert FolderIndex.from_json(json.loads(cache.read_text())).is_current()


def test_failed_write_leaves_the_old_file(root, cache, monkeypatch) -> None:
    files(root, cache)
    old = cache.read_bytes()
    (root / 'b/9.jpg').touch()

    def fail(*_: object) -> None:
        raise OSError('disk full')

    monkeypatch.setattr(index_cache.os, 'replace', fail)
    with monkeypatch.context() as patch:
        log = warnings_into(patch)
        assert files(root, cache) == files(root)  # goes on without
    assert len(log) == 2 and 'cannot be written (disk full)' in log[1]
    assert cache.read_bytes() == old
    assert list(cache.parent.iterdir()) == [cache]


def place_folder(cache: Path) -> None:
    cache.mkdir(parents=True)


def place_folder_that_is_a_file(cache: Path) -> None:
    cache.parent.touch()


def place_pipe(cache: Path) -> None:
    """Reading it would wait for a writer for ever."""
    cache.parent.mkdir()
    os.mkfifo(cache)


def place_link_to_itself(cache: Path) -> None:
    cache.parent.mkdir()
    cache.symlink_to(cache)


def place_too_long_a_name(cache: Path) -> None:
    """Nothing: the name itself is refused by the file system."""


@pytest.mark.parametrize(
    'place',
    [
        place_folder,
        place_folder_that_is_a_file,
        place_pipe,
        place_link_to_itself,
        place_too_long_a_name,
    ],
)
def test_a_cache_that_cannot_be_written_stops_nothing(root, cache, place, monkeypatch) -> None:
    if place is place_too_long_a_name:
        cache = cache.with_name('n' * 300)
    place(cache)
    log = warnings_into(monkeypatch)
    assert files(root, cache) == files(root)
    assert f'index {cache} cannot be written' in log[-1]
    assert 'Set index_cache to a path that can be written' in log[-1]


@pytest.mark.parametrize('error', [PermissionError(13, 'denied'), OSError(116, 'stale handle')])
def test_a_cache_that_cannot_be_read_stops_nothing(root, cache, error, monkeypatch) -> None:
    files(root, cache)
    log = warnings_into(monkeypatch)

    def fail(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr('mochi_mm.datasets.index_cache.read_json_file', fail)
    assert files(root, cache) == files(root)
    assert len(log) == 1 and f'{cache} cannot be read' in log[0]


def test_a_disk_that_comes_back(root, cache, tmp_path) -> None:
    """A folder and an image behind links: no folder of the index changes when they appear."""
    disk = tmp_path / 'disk'
    (root / 'c').symlink_to(disk / 'c')
    (root / 'a/deep').symlink_to(disk / 'deep')
    (root / 'b/linked.jpg').symlink_to(disk / 'image.jpg')
    age(root)
    without = files(root, cache)
    assert FolderIndex.scan(root, ENDINGS).broken_links == ['c', 'a/deep', 'b/linked.jpg']
    assert files(root, cache) == without
    for name in ('c/1.jpg', 'deep/2.jpg', 'image.jpg'):
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).touch()
    age(disk)
    back = files(root, cache)
    assert (
        back
        == files(root)
        == sorted([*without, 'c/1.jpg', 'a/deep/2.jpg', 'b/linked.jpg'], key=by_folder)
    )
    disk.rename(tmp_path / 'taken away')
    assert 'c/1.jpg' not in files(root, cache)


def by_folder(path: str) -> list[str]:
    return path.split('/')


def test_a_link_to_itself_is_a_broken_one(root, cache) -> None:
    for name in ('self', 'a/self.jpg'):
        (root / name).symlink_to(root / name)
    (root / 'one').symlink_to(root / 'two')
    (root / 'two').symlink_to(root / 'one')
    assert (
        files(root, cache)
        == files(root, cache)
        == ['a/4.jpg', 'a/x/3.png', 'a-c/5.jpg', 'b/1.JPG', 'b/2.jpg']
    )
    index = FolderIndex.scan(root, ENDINGS)
    assert index.broken_links == ['one', 'self', 'two', 'a/self.jpg']
    assert index.broken_images() == ['a/self.jpg']


@pytest.mark.parametrize('number', [2, 9])
def test_folders_that_link_to_each_other(tmp_path, number) -> None:
    """Nine of them, followed along every path, would be 9! walks."""
    names = [f'f{i}' for i in range(number)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / f'{name}.jpg').touch()
    for name in names:
        for other in names:
            if other != name:
                (tmp_path / name / other).symlink_to(tmp_path / other)
    index = FolderIndex.scan(tmp_path, ENDINGS)
    assert len(index) == number**2
    for name in names:  # each holds its own image and, behind links, that of each other
        mine = [path for path in index.paths() if path.startswith(f'{name}/')]
        assert sorted(Path(path).name for path in mine) == sorted(f'{other}.jpg' for other in names)
    assert len(index.repeated) == number * (number - 1) ** 2


def test_a_folder_counts_once_within_a_class_under_its_own_name(root) -> None:
    (root / 'a/a link to x').symlink_to(root / 'a/x')
    (root / 'other').symlink_to(root / 'a/x')
    index = FolderIndex.scan(root, ENDINGS)
    assert [p for p in index.paths() if p.endswith('3.png')] == ['a/x/3.png', 'other/3.png']
    assert index.repeated == ['a/a link to x']


def test_what_is_no_regular_file_is_counted(root) -> None:
    os.mkfifo(root / 'a/pipe.jpg')
    assert FolderIndex.scan(root, ENDINGS).other == {'.txt': 1, 'no regular file': 1}


def test_a_folder_that_may_not_be_listed_is_named(root, monkeypatch) -> None:
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith('a-c'):
            raise PermissionError(13, 'Permission denied', path)
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', refuse)
    with pytest.raises(ValueError, match=r'a-c cannot be listed \(Permission denied\)'):
        files(root)


def test_links_are_followed_but_not_in_circles(root) -> None:
    (root / 'b/up').symlink_to(root)
    (root / 'b/self').symlink_to(root / 'b')
    (root / 'c').symlink_to(root / 'a')
    (root / 'c2.jpg').symlink_to(root / 'nowhere.jpg')
    index = FolderIndex.scan(root, ENDINGS)
    names = ['/'.join(filter(None, pair)) for pair in index.files()]
    assert {'c/4.jpg', 'c/x/3.png'} < set(names)
    assert not any(name.startswith(('b/up/b', 'b/up/c/up', 'b/self')) for name in names)
    assert index.broken_links == ['c2.jpg']


def test_json_round_trip(root) -> None:
    index = FolderIndex.scan(root, ENDINGS, ('a', 'b'))
    assert FolderIndex.from_json(json.loads(json.dumps(index.to_json()))) == index
