"""Subsets: equal numbers, the same on any machine, one within the other, read by ImageFolder."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mochi_mm.datasets import ImageFolder
from mochi_mm.datasets.subset import balanced_subset, first_of_each, keyed_split
from tests.toy_runner import REPOSITORY

PATHS = [
    f'{name}/{i:03d}.jpg' for name, size in dict(a=30, b=41, c=50).items() for i in range(size)
]


FIXED = ['a/018.jpg', 'a/028.jpg', 'b/002.jpg', 'b/039.jpg', 'c/002.jpg', 'c/018.jpg']


def test_balanced_nested_and_independent_of_order() -> None:
    small, large = balanced_subset(PATHS, 3, 0), balanced_subset(reversed(PATHS), 20, 0)
    assert Counter(path[0] for path in large) == dict(a=20, b=20, c=20)
    assert set(small) < set(large) and small == sorted(small)
    assert balanced_subset(PATHS, 3, 1) != small
    alone = balanced_subset([path for path in PATHS if path[0] == 'b'], 3, 0)
    assert alone == [path for path in small if path[0] == 'b']


def test_the_list_is_fixed() -> None:
    """What was drawn once must be drawn for ever."""
    assert balanced_subset(PATHS, 2, 0) == FIXED


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="31 images of each class are wanted; 'a' has 30"):
        balanced_subset(PATHS, 31, 0)
    with pytest.raises(ValueError, match='there are no images'):
        balanced_subset([], 1, 0)
    with pytest.raises(ValueError, match="'loose.jpg' lies in no class folder"):
        balanced_subset(['loose.jpg'], 1, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in dict(cats=6, dogs=9, eels=10).items():
        (tmp_path / 'train' / name).mkdir(parents=True)
        for number in range(size):
            Image.new('RGB', (4, 4)).save(tmp_path / 'train' / name / f'{number}.png')
    return tmp_path


def test_tool_and_data_set(folder: Path, capsys: Any) -> None:
    tool = runpy.run_path(str(REPOSITORY / 'tools/dataset/make_subset.py'))
    out = folder / 'some.txt'
    tool['main']([str(folder / 'train'), '--share', '0.25', '--out', str(out)])
    said = capsys.readouterr().out
    assert '6 of 25 images, 2 of each of 3 classes, seed 0, SHA-256' in said
    dataset = ImageFolder(folder, 'train', include=out)
    taken = [dataset.path(i).removeprefix(f'{folder}/train/') for i in range(len(dataset))]
    assert taken == out.read_text().split()
    assert dataset.labels.tolist() == [0, 0, 1, 1, 2, 2]
    out.write_text('\n'.join(path for path in taken if not path.startswith('cats')) + '\n')
    dataset = ImageFolder(folder, 'train', include=out)
    assert dataset.classes == ('cats', 'dogs', 'eels')  # labels stay those of the whole folder
    assert dataset.labels.tolist() == [1, 1, 2, 2]


def test_lists_that_do_not_fit(folder: Path) -> None:
    (folder / 'list.txt').write_text('cats/0.png\n0.png\n')
    with pytest.raises(ValueError, match="1 of the 2 paths .* such as '0.png'"):
        ImageFolder(folder, 'train', include=folder / 'list.txt')
    (folder / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='0 of the 0 paths'):
        ImageFolder(folder, 'train', include=folder / 'list.txt')
    with pytest.raises(FileNotFoundError, match='make_subset'):
        ImageFolder(folder, 'train', include=folder / 'none.txt')


def test_the_first_of_each() -> None:
    assert first_of_each(reversed(PATHS), 2) == sorted(
        path for name in 'abc' for path in sorted(p for p in PATHS if p[0] == name)[:2]
    )
    with pytest.raises(ValueError, match='2 images of each class are wanted'):
        first_of_each(['a/0.jpg'], 2)


def test_a_split_takes_a_share_of_each_class() -> None:
    """What is drawn of a class does not depend on the others, nor on the order of the list."""
    paths = [f'{name}/{i:02}.png' for name, n in (('a', 20), ('b', 9), ('c', 2)) for i in range(n)]
    left, drawn = keyed_split(paths, 0.2, seed=3)
    assert sorted([*left, *drawn]) == paths and not set(left) & set(drawn)
    assert [sum(path[0] == name for path in drawn) for name in 'abc'] == [4, 2, 1]
    assert keyed_split(reversed(paths), 0.2, seed=3) == (left, drawn)
    alone = keyed_split([path for path in paths if path[0] == 'b'], 0.2, seed=3)[1]
    assert alone == [path for path in drawn if path[0] == 'b']
    assert keyed_split(paths, 0.2, seed=4)[1] != drawn
    assert [path for path in keyed_split(paths, 0.9, 0)[0] if path[0] == 'c']
    with pytest.raises(ValueError, match="2 images of each class are wanted; 'd' has 1"):
        keyed_split([*paths, 'd/0.png'], 0.2, seed=0)
