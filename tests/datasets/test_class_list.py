"""Class lists: by hand, from a file, shipped."""

from __future__ import annotations

import re

import pytest

from mochi_mm.datasets.class_list import read_class_list, shipped_lists


def test_names_are_sorted() -> None:
    assert read_class_list(['b', 'a']) == ('a', 'b')
    assert read_class_list([]) == ()


def test_file_with_one_name_a_line(tmp_path) -> None:
    path = tmp_path / 'list.txt'
    path.write_text('n2\n\n  n1 \r\nblue whale\n')
    assert read_class_list(path) == read_class_list(str(path)) == ('blue whale', 'n1', 'n2')


def test_imagenet100_is_shipped(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'imagenet100').mkdir()  # a data set of that name is not the list
    names = read_class_list('imagenet100')
    assert 'imagenet100' in shipped_lists()
    assert len(names) == 100
    assert names[0] == 'n01558993'
    assert all(re.fullmatch(r'n\d{8}', name) for name in names)


def test_unknown_list() -> None:
    with pytest.raises(FileNotFoundError, match=r"'imagenet-100'.*shipped list \(imagenet100\)"):
        read_class_list('imagenet-100')


def test_repeated_and_missing_names(tmp_path) -> None:
    with pytest.raises(ValueError, match='more than once: a'):
        read_class_list(['a', 'b', 'a'])
    (tmp_path / 'list.txt').write_text('\n \n')
    with pytest.raises(ValueError, match='no names'):
        read_class_list(tmp_path / 'list.txt')
