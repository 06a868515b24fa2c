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
    with pytest.raises(OSError, match='disk full'):
        files(root, cache)
    assert cache.read_bytes() == old
    assert list(cache.parent.iterdir()) == [cache]


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
