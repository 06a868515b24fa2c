"""Index of the image files below a folder, with a check that it is still true."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mochi_mm.files.inner_path import check_inner
from mochi_mm.files.shown import shown
from mochi_mm.utils.progress import progress_bar

VERSION = 2
# A directory changed this short before it was listed may change again within the same tick of
# its clock, so its time says nothing and it is listed again.
_TICK_NS = 2_000_000_000


@dataclass
class Listing:
    """Content of one directory.

    Attributes:
        mtime: Time of its last change, in nanoseconds.
        folders: Names of its sub-directories, sorted.
        files: Names of its image files, sorted.
    """

    mtime: int
    folders: list[str]
    files: list[str]


@dataclass
class FolderIndex:
    """Image files below ``root``, grouped by directory. Plain data: see :meth:`to_json`.

    Attributes:
        root: Absolute path.
        extensions: Lower-case endings of image files, with the dot.
        selected: Names of the sub-folders of ``root`` that are looked into, None for all. With a
            selection, files in ``root`` itself are left out.
        built: When it was made, in nanoseconds since 1970.
        listings: By path relative to ``root`` ('' is ``root``), with '/' between the parts.
        other: Number of files of other endings that were passed over, by ending.
        broken_links: Links to nowhere, to themselves, or to what may not be looked at, whatever
            they are called, relative to ``root``: images, or folders on a disk that is not there.
        repeated: Folders that were not looked into again, relative to ``root``: links to one that
            the same folder of ``root`` holds already, or to one that they lie in.
    """

    root: str
    extensions: tuple[str, ...]
    selected: tuple[str, ...] | None
    built: int
    listings: dict[str, Listing] = field(default_factory=dict)
    other: Counter[str] = field(default_factory=Counter)
    broken_links: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    @classmethod
    def scan(
        cls, root: str | Path, extensions: Sequence[str], selected: Sequence[str] | None = None
    ) -> FolderIndex:
        """List ``root`` and what is below it.

        Links are followed, but within one folder of ``root`` no folder is listed twice, so links
        in a circle end, and links between folders cost no more than the folders. Names that begin
        with a dot are passed over.

        Raises:
            ValueError: A folder that may not be listed.
        """
        index = cls(
            os.path.abspath(root),
            tuple(extensions),
            None if selected is None else tuple(selected),
            time.time_ns(),
        )
        here = index._add('')
        folders = index.listings[''].folders
        for name in progress_bar(folders, 'listing images', len(folders)):
            index._walk(name, here)
        index.listings = {
            key: index.listings[key]
            for key in sorted(index.listings, key=lambda key: key.split('/') if key else [])
        }
        return index

    def _walk(self, top: str, root: tuple[int, int]) -> None:
        """List one folder of the root, what lies in it first, what it links to afterwards."""
        seen, links = {root}, deque([top])
        while links:
            pending = [links.popleft()]
            while pending:
                relative = pending.pop()
                status = os.stat(os.path.join(self.root, relative))
                if (status.st_dev, status.st_ino) in seen:
                    self.repeated.append(relative)
                    continue
                seen.add(self._add(relative))
                for name in reversed(self.listings[relative].folders):
                    child = f'{relative}/{name}'
                    linked = os.path.islink(os.path.join(self.root, child))
                    (links if linked else pending).append(child)

    def _add(self, relative: str) -> tuple[int, int]:
        """List one directory; return what tells it from others, under whatever name."""
        status = os.stat(os.path.join(self.root, relative))
        self.listings[relative] = self._list(
            relative, status.st_mtime_ns, self.other, self.broken_links
        )
        return status.st_dev, status.st_ino

    def _list(
        self, relative: str, mtime: int, other: Counter[str], broken_links: list[str]
    ) -> Listing:
        listing = Listing(mtime, [], [])
        selected = self.selected if not relative else None
        folder = os.path.join(self.root, relative)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise ValueError(
                f'the folder {folder} cannot be listed ({error.strerror}), so its images would be '
                'missing; make it readable, or take it away.'
            ) from error
        for entry in entries:
            if entry.name.startswith('.') or (selected is not None and entry.name not in selected):
                continue
            kind = _kind(entry)
            if kind == 'broken link':
                broken_links.append(f'{relative}/{entry.name}' if relative else entry.name)
            elif kind == 'folder':
                listing.folders.append(entry.name)
            elif selected is not None:
                continue
            elif not entry.name.lower().endswith(self.extensions):
                other[os.path.splitext(entry.name)[1].lower() or 'no ending'] += 1
            elif kind == 'file':
                listing.files.append(entry.name)
            else:
                other['no regular file'] += 1
        return listing

    def is_current(self) -> bool:
        """Return whether every directory is as it was, and every broken link still broken.

        Looks at directories only, not at files.
        """
        if any(os.path.exists(os.path.join(self.root, link)) for link in self.broken_links):
            return False
        for relative, listing in self.listings.items():
            try:
                mtime = os.stat(os.path.join(self.root, relative)).st_mtime_ns
            except OSError:
                return False
            if mtime != listing.mtime:
                return False
            if mtime > self.built - _TICK_NS and (
                self._list(relative, mtime, Counter(), []) != listing
            ):
                return False
        return True

    def matches(
        self, root: str | Path, extensions: Sequence[str], selected: Sequence[str] | None
    ) -> bool:
        """Return whether it was made for these arguments of :meth:`scan`."""
        return (self.root, self.extensions, self.selected) == (
            os.path.abspath(root),
            tuple(extensions),
            None if selected is None else tuple(selected),
        )

    def __len__(self) -> int:
        return sum(len(listing.files) for listing in self.listings.values())

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield (directory relative to ``root``, file name), sorted."""
        for relative, listing in self.listings.items():
            for name in listing.files:
                yield relative, name

    def broken_images(self) -> list[str]:
        """Return those of ``broken_links`` that are called like images."""
        return [link for link in self.broken_links if link.lower().endswith(self.extensions)]

    def paths(self) -> list[str]:
        """Return the paths of all files relative to ``root``, sorted by directory."""
        return [f'{folder}/{name}' if folder else name for folder, name in self.files()]

    def to_json(self) -> dict[str, Any]:
        """Return it as dicts, lists, strings and numbers."""
        return dict(
            version=VERSION,
            root=self.root,
            extensions=list(self.extensions),
            selected=None if self.selected is None else list(self.selected),
            built=self.built,
            listings={
                key: [item.mtime, item.folders, item.files] for key, item in self.listings.items()
            },
            other=dict(self.other),
            broken_links=self.broken_links,
            repeated=self.repeated,
        )

    @classmethod
    def from_json(cls, data: Any) -> FolderIndex:
        """Return the index that :meth:`to_json` described.

        Raises:
            ValueError: ``data`` is something else.
        """
        try:
            if data['version'] != VERSION:
                raise ValueError(f'index of version {data["version"]}, expected {VERSION}')
            listings = {
                key: Listing(_time(mtime), _names(folders), _names(files))
                for key, (mtime, folders, files) in data['listings'].items()
            }
            selected = data['selected']
            repeated = _names(data['repeated'])
            _check_tree(listings, tuple(_names(data['extensions'])), repeated)
            return cls(
                _names([data['root']])[0],
                tuple(_names(data['extensions'])),
                None if selected is None else tuple(_names(selected)),
                _time(data['built']),
                listings,
                Counter({name: _time(count) for name, count in data['other'].items()}),
                _names(data['broken_links']),
                repeated,
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f'not a folder index: {error!r}') from error


def _kind(entry: os.DirEntry[str]) -> str:
    """Return 'folder', 'file', 'broken link' or 'other'; links are what they lead to."""
    try:
        if entry.is_dir():
            return 'folder'
        if entry.is_file():
            return 'file'
        return 'other' if os.path.exists(entry.path) else 'broken link'
    except OSError:  # a link to itself, or to what may not be looked at
        return 'broken link'


def _check_tree(
    listings: Mapping[str, Listing], extensions: tuple[str, ...], repeated: Sequence[str]
) -> None:
    """Refuse names that a scan cannot have found: they may lead out of the folder.

    Raises:
        ValueError: A name of several parts, '..', hidden, of another ending, a folder that its
            parent does not list, one that is named and not listed, or no listing of the root.
    """
    if '' not in listings:
        raise ValueError('the folder itself is not listed')
    for key, listing in listings.items():
        for name in [*listing.folders, *listing.files]:
            if '/' in name or name.startswith('.'):
                raise ValueError(f'{shown(name)} is no name in a folder that is listed')
            check_inner(name, 'the index')
        odd = [name for name in listing.files if not name.lower().endswith(extensions)]
        if odd:
            raise ValueError(f'{shown(odd[0])} ends with none of {shown(extensions)}')
        inner = [f'{key}/{name}' if key else name for name in listing.folders]
        lost = [name for name in inner if name not in listings and name not in repeated]
        if lost:
            raise ValueError(f'the folder {shown(lost[0])} is named and not listed')
        parent, _, name = key.rpartition('/')
        if key and (parent not in listings or name not in listings[parent].folders):
            raise ValueError(f'the folder {shown(key)} is in no folder that is listed')


def _time(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f'{shown(value)} is no time or count; expected a whole number')
    return value


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f'expected a list of names, got {type(value).__name__}')
    return value
