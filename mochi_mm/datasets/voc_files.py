"""Files of a VOC folder: lists of names, images of several endings, annotations."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from mochi_mm.files.inner_path import check_inner
from mochi_mm.files.regular_file import open_regular
from mochi_mm.files.text_file import read_text

#: Endings of images, upper or lower case.
ENDINGS = ('.jpg', '.jpeg', '.png')


def listed_names(path: Path) -> list[str]:
    """Return the names that a list such as ``ImageSets/Main/train.txt`` holds, one per line.

    Raises:
        FileNotFoundError: No such file.
        ValueError: No name, or one twice.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'no list of images at {path} (from {Path.cwd()}); expected a VOC folder with '
            'ImageSets/Main/<split>.txt: set data_root to the one that holds ImageSets, JPEGImages '
            'and Annotations, and the list or split to one in it.'
        )
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    names = [check_inner(name, str(path)) for name in lines]
    if not names:
        raise ValueError(f'{path} lists no image; expected one name a line.')
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(
            f'{path} lists {len(twice)} images more than once, such as {twice[0]!r}; expected each '
            'name on one line.'
        )
    return names


class VOCFiles:
    """Find the annotation and the image of each name of a list.

    Args:
        images: Folder of the images.
        annotations: Folder of the annotations.
        source: The list, for the errors.
    """

    def __init__(self, images: Path, annotations: Path, source: str | Path) -> None:
        self.images, self.annotations, self.source = images, annotations, source
        self._listed: dict[Path, dict[str, list[str]]] = {}

    def annotation(self, name: str) -> Path:
        """Return the XML file of an image.

        Raises:
            FileNotFoundError: There is none.
        """
        path = self.annotations / f'{name}.xml'
        if not path.is_file():
            raise FileNotFoundError(self._missing(name, 'annotation', path))
        return path

    def image(self, name: str) -> Path:
        """Return the image file.

        Raises:
            FileNotFoundError: There is none.
            ValueError: There are several, such as a .jpg and a .png.
        """
        folder, stem = (self.images / name).parent, Path(name).name
        if folder not in self._listed:
            self._listed[folder] = _by_stem(folder)
        found = self._listed[folder].get(stem, [])
        if len(found) > 1:
            raise ValueError(
                f'{self.source} lists {name!r}, but {folder} holds {" and ".join(sorted(found))}; '
                'expected one image a name. Which of them was annotated?'
            )
        if not found or not (folder / found[0]).is_file():
            raise FileNotFoundError(self._missing(name, 'image', folder / f'{stem}.jpg'))
        return folder / found[0]

    def _missing(self, name: str, what: str, path: Path) -> str:
        hint = 'add it or take the name off the list.'
        if len(name.split()) > 1:
            hint = (
                'a line is one name. A list of one class, which has a second column, is not '
                'taken: name that of the whole split (ImageSets/Main/<split>.txt).'
            )
        endings = '' if what == 'annotation' else f' (nor {", ".join(ENDINGS[1:])}, in any case)'
        return f'{self.source} lists {name!r} but there is no {what} at {path}{endings}; {hint}'


def read_annotation(path: Path) -> ElementTree.Element:
    """Return the root of a VOC annotation.

    Raises:
        ValueError: The file is no VOC annotation.
    """
    try:
        with open_regular(path) as file:
            root = ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(f'{path} is no VOC annotation ({error}); expected XML.') from error
    if root.tag != 'annotation':
        raise ValueError(
            f'{path} is no VOC annotation: its root is <{root.tag}>; expected <annotation>.'
        )
    return root


def is_difficult(item: ElementTree.Element, path: Path) -> bool:
    """Return whether an object is marked as difficult.

    Raises:
        ValueError: The mark is neither 0 nor 1.
    """
    mark = (item.findtext('difficult') or ('0' if item.find('difficult') is None else '')).strip()
    if mark not in ('0', '1'):
        raise ValueError(
            f'{path} has an object with <difficult>{mark}</difficult>; expected 0 or 1.'
        )
    return mark == '1'


def _by_stem(folder: Path) -> dict[str, list[str]]:
    """Return the names of the images in a folder by their stems."""
    found: dict[str, list[str]] = {}
    for entry in os.scandir(folder) if folder.is_dir() else ():
        stem, ending = os.path.splitext(entry.name)
        if ending.lower() in ENDINGS:
            found.setdefault(stem, []).append(entry.name)
    return found
