"""Class folders that would mix up or lose labels without a word."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from mochi_mm.datasets.image_folder import ImageFolder
from tests.datasets.test_same_images import folder

CAFE = [unicodedata.normalize(form, 'café') for form in ('NFC', 'NFD')]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged while a data set is made."""
    texts: list[str] = []

    def note(text: str, *about: object, **more: object) -> None:
        texts.append(text)

    monkeypatch.setattr('mochi_mm.datasets.class_folders.print_log', note)
    monkeypatch.setattr('mochi_mm.datasets.image_folder.print_log', note)
    return texts


@pytest.mark.parametrize(
    'names', [tuple(CAFE), ('cat', ' cat'), ('cat', 'cat '), ('sea  lion', 'sea lion')], ids=ascii
)
def test_names_that_read_the_same(tmp_path: Path, names: tuple[str, str]) -> None:
    """Of a folder that was copied from two systems: one class had two labels."""
    folder(tmp_path, classes=(*names, 'dog'))
    with pytest.raises(ValueError, match='names that read the same') as error:
        ImageFolder(tmp_path)
    assert str(error.value).isascii() == str(tmp_path).isascii()
    assert ImageFolder(tmp_path, classes=[names[0], 'dog']).labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_names_that_differ_by_upper_case_are_told(tmp_path: Path, said: list[str]) -> None:
    """Two classes, as "Crane" and "crane" may be."""
    folder(tmp_path, classes=('Crane', 'crane', 'dog'))
    assert ImageFolder(tmp_path).classes == ('Crane', 'crane', 'dog')
    assert any('differ from another by upper case alone: Crane, crane' in text for text in said)


def test_one_folder_under_two_names(tmp_path: Path) -> None:
    """Each of its images was trained and measured under two labels."""
    folder(tmp_path)
    (tmp_path / 'wolf').symlink_to(tmp_path / 'dog')
    with pytest.raises(ValueError, match="'dog' and 'wolf' in .* are one folder under two names"):
        ImageFolder(tmp_path)
    assert ImageFolder(tmp_path, classes=['cat', 'wolf']).classes == ('cat', 'wolf')


def test_one_class_alone_is_told(tmp_path: Path, said: list[str]) -> None:
    folder(tmp_path / 'images' / 'deeper')
    assert ImageFolder(tmp_path).classes == ('images',)
    assert any('are of one class; its own sub-folders are no classes: images' in t for t in said)


@pytest.mark.parametrize('how', ['exclude', 'include'])
def test_a_class_that_a_list_empties_is_told(tmp_path: Path, said: list[str], how: str) -> None:
    folder(tmp_path / 'data')
    name = 'cat' if how == 'exclude' else 'dog'
    (tmp_path / 'list.txt').write_text(''.join(f'{name}/{i}.png\n' for i in range(3)))
    dataset = ImageFolder(tmp_path / 'data', **{how: tmp_path / 'list.txt'})
    assert dataset.classes == ('cat', 'dog') and dataset.labels.tolist() == [1, 1, 1]
    assert any(f'1 of 2 classes in {dataset.root} have no image left' in text for text in said)
    said.clear()
    assert len(ImageFolder(tmp_path / 'data')) == 6
    assert not any('no image left' in text for text in said)
