"""Class folders of an index, checked for ones that went missing."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from mmengine.logging import print_log

from mochi_mm.datasets.folder_index import FolderIndex

_SPLITS = {'train', 'training', 'val', 'valid', 'validation', 'test', 'testing'}
#: Endings of pictures that are not read unless asked for.
_UNREAD = ('.gif', '.jfif', '.jpe', '.jp2', '.avif', '.heic', '.heif', '.jxl', '.svg', '.tga')


def class_names(index: FolderIndex, wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the names of the classes of a folder, sorted: label i is the i-th of them.

    A class that is left out moves the labels of all that follow, so a folder of the root without
    an image, or a link of the root that leads nowhere, is an error where the others are classes.

    Args:
        index: The folder.
        wanted: Names of the classes, if only some folders are; they are all that ``index`` holds.

    Raises:
        ValueError: A class without images, a lost link, two classes that are one, images both in
            the root and in folders, or folders that look like splits.
    """
    root, folders = index.root, index.listings[''].folders
    used = {key.split('/', 1)[0] for key, listing in index.listings.items() if listing.files}
    found = tuple(sorted(used - {''}))
    if wanted is not None or found:
        empty = [name for name in (folders if wanted is None else wanted) if name not in found]
        _check_complete(index, empty)
    _check_apart(root, found)
    if wanted is not None:
        return found
    loose = len(index.listings[''].files)
    if loose and found:
        raise ValueError(
            f'{root} holds {loose} images itself and others in {len(found)} sub-folders '
            f'({", ".join(found[:5])}), so which have a class is unclear. Move the loose '
            'images away, or pass classes=[...] to take those folders only, or classes=[] to '
            'take everything without labels.'
        )
    if found and _SPLITS.issuperset(name.lower() for name in found):
        raise ValueError(
            f'{root} holds {", ".join(found)}: these look like splits, not classes. Pass '
            f'split={found[0]!r}, or classes={list(found)} if they are classes, or classes=[] '
            'to take everything without labels.'
        )
    return found


def tell_left_out(index: FolderIndex) -> None:
    """Warn of what an index leaves out although it may be images: counted and named."""
    broken, lost = index.broken_images(), len(index.broken_links)
    if broken:
        _warn(f'{len(broken)} images in {index.root} are links to nowhere and are left out', broken)
    others = [link for link in index.broken_links if link not in set(broken)] if lost else []
    if others:
        _warn(
            f'{len(others)} links in {index.root} lead nowhere, images behind them are missing',
            others,
        )
    pictures = {ending: index.other[ending] for ending in _UNREAD if index.other[ending]}
    if pictures:
        _warn(
            f'{sum(pictures.values())} files in {index.root} have endings that are not read; add '
            'them to extensions, or convert them',
            [f'{count} x {ending}' for ending, count in pictures.items()],
        )
    used = {key.split('/', 1)[0] for key, listing in index.listings.items() if listing.files}
    empty = [name for name in index.listings[''].folders if name not in used]
    if empty:
        _warn(f'{len(empty)} folders in {index.root} hold no image', empty)
    if index.repeated:
        _warn(
            f'{len(index.repeated)} links in {index.root} lead to folders that are taken already',
            index.repeated,
            logging.INFO,
        )


def _check_apart(root: str, names: Sequence[str]) -> None:
    """Refuse classes that are one: names that read the same, and one folder under two names."""
    read: dict[str, str] = {}
    place: dict[tuple[int, int], str] = {}
    for name in names:
        plain = ' '.join(unicodedata.normalize('NFC', name).split())
        if plain in read:
            raise ValueError(
                f'the class folders {read[plain]!a} and {name!a} in {root} have names '
                'that read the same (spaces, or one letter written in two ways, as by copying from '
                'another system), so one class would be two. Put their images into one of them, or '
                'rename one.'
            )
        status = os.stat(os.path.join(root, name))
        key = status.st_dev, status.st_ino
        if key in place:
            raise ValueError(
                f'the class folders {place[key]!r} and {name!r} in {root} are one folder under two '
                'names, so each image would have two labels; remove the link, or name the classes '
                'to use with classes=[...].'
            )
        read[plain], place[key] = name, name
    alike = Counter(name.casefold() for name in names)
    twice = [name for name in names if alike[name.casefold()] > 1]
    if twice:
        _warn(f'{len(twice)} classes in {root} differ from another by upper case alone', twice)
    if len(names) == 1:
        _warn(f'all images in {root} are of one class; its own sub-folders are no classes', names)


def _check_complete(index: FolderIndex, empty: Sequence[str]) -> None:
    lost = [link for link in index.broken_links if '/' not in link]
    lost = [link for link in lost if link not in set(index.broken_images())]
    if lost:
        raise ValueError(
            f'{len(lost)} links in {index.root} lead nowhere: {_some(lost)}. If they are classes, '
            'all labels behind them would move: mount the disk that they lead to, or remove them, '
            'or name the classes to use with classes=[...].'
        )
    if empty:
        raise ValueError(
            f'{len(empty)} class folders without images in {index.root}: '
            f'{_some([f"{name} ({_content(index.root, name)})" for name in empty[:5]], len(empty))}'
            f'. Looked for {", ".join(index.extensions)}. Without them all labels behind them '
            'would move: add or convert their images, set extensions to their endings, remove the '
            'folders, or name the classes to use with classes=[...].'
        )


def _content(root: str, name: str, most: int = 1000) -> str:
    """Return the content of a folder without images, in words."""
    walk = os.walk(os.path.join(root, name))
    files = islice(
        (os.path.join(folder, file) for folder, _, names in walk for file in names), most
    )
    endings = Counter(
        os.path.splitext(file)[1].lower() or 'no ending' if os.path.exists(file) else 'broken link'
        for file in files
    )
    counts = (f'{count} x {ending}' for ending, count in endings.most_common(3))
    return ', '.join(counts) or 'empty'


def _warn(text: str, names: Sequence[str], level: int = logging.WARNING) -> None:
    print_log(f'{text}: {_some(names)}', 'current', level)


def _some(names: Sequence[str], total: int | None = None, most: int = 5) -> str:
    more = (total or len(names)) - len(names[:most])
    return ', '.join(names[:most]) + (f' and {more} more' if more else '')
