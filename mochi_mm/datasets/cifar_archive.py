"""CIFAR-10 and CIFAR-100 as their authors hand them out for Python, read as data."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.files.array_pickle import read_array_pickle
from mochi_mm.files.shown import shown

#: No archive unpacks to more, in bytes.
_LARGEST = 2**28


@dataclass(frozen=True)
class Layout:
    """Which files an archive holds.

    Attributes:
        splits: Files of images by the name of the split.
        meta: File of the class names.
        names: Key of the class names in it.
        labels: Key of the labels in files of images.
    """

    splits: Mapping[str, tuple[str, ...]]
    meta: str
    names: str
    labels: str

    def files(self) -> list[str]:
        """Return the names of all files."""
        return [self.meta, *(name for names in self.splits.values() for name in names)]


LAYOUTS: Mapping[str, Layout] = {
    'cifar-10-batches-py': Layout(
        dict(train=tuple(f'data_batch_{i}' for i in range(1, 6)), val=('test_batch',)),
        'batches.meta',
        'label_names',
        'labels',
    ),
    'cifar-100-python': Layout(
        dict(train=('train',), val=('test',)), 'meta', 'fine_label_names', 'fine_labels'
    ),
}


class CifarArchive:
    """The images of CIFAR-10 or CIFAR-100 with the names of their classes.

    The files are pickles, and are read without running what a pickle may hold
    (:func:`mochi_mm.files.array_pickle.read_array_pickle`).

    Args:
        path: ``cifar-10-python.tar.gz``, ``cifar-100-python.tar.gz``, or the folder that one of
            them holds.

    Raises:
        FileNotFoundError: No such file or folder, or one that lacks a file.
        ValueError: Neither of both data sets, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._files = self._find()
        folders = {name.split('/')[0] for name in self._files}
        known = [folder for folder in LAYOUTS if folder in folders]
        if len(known) != 1:
            raise ValueError(
                f'{self.path} holds {len(known)} of {", ".join(LAYOUTS)}; expected one of them: '
                'the archive of CIFAR-10 or CIFAR-100 for Python, or its folder.'
            )
        self.folder = known[0]
        self.layout = LAYOUTS[self.folder]
        self.classes = self._class_names()

    def images(self, split: str) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name of the class and the pixels, (32, 32, 3) uint8, of each image of a split.

        Args:
            split: ``train`` or ``val`` (the authors' test images).

        Raises:
            FileNotFoundError: The archive lacks a file of the split.
            ValueError: A file is damaged, or its labels do not fit its images and classes.
        """
        for name in self.layout.splits[split]:
            content = self._read(name)
            pixels, labels = content.get('data'), content.get(self.layout.labels)
            if not (
                isinstance(pixels, np.ndarray)
                and pixels.shape[1:] == (3 * 32 * 32,)
                and isinstance(labels, list)
                and len(labels) == len(pixels)
                and all(type(k) is int and 0 <= k < len(self.classes) for k in labels)
            ):
                raise ValueError(
                    f'{self.path}: {name} holds no images of 32 x 32 pixels with a label each, 0 '
                    f'to {len(self.classes) - 1}; it may be damaged. Get the archive again.'
                )
            rows = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            yield from ((self.classes[k], row) for k, row in zip(labels, rows, strict=True))

    def _class_names(self) -> list[str]:
        names = self._read(self.layout.meta).get(self.layout.names)
        words = [str(name) for name in names] if isinstance(names, list) else ['']
        good = all(re.fullmatch(r'[a-z][a-z_]*', word) for word in words)
        if not good or len(words) != len(set(words)):
            raise ValueError(
                f'{self.path}: {self.layout.meta} lists the classes {shown(str(names))}; expected '
                'different words of small letters, which become folders. Get the archive again.'
            )
        return words

    def _find(self) -> dict[str, bytes | Path]:
        """Return the files of the layouts by ``folder/name``: paths, or what a tar holds."""
        if self.path.is_dir():
            names = (p for p in self.path.iterdir() if p.is_file())
            return {f'{self.path.resolve().name}/{p.name}': p for p in names}
        if not self.path.is_file():
            raise FileNotFoundError(
                f'no {self.path}; expected cifar-10-python.tar.gz, cifar-100-python.tar.gz, or the '
                'folder that one of them holds.'
            )
        try:
            with tarfile.open(self.path) as tar:
                return dict(self._members(tar))
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f'{self.path} cannot be read as a tar archive ({error}); get it again.'
            ) from None

    def _members(self, tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of what the layouts name; nothing is unpacked to the disk."""
        wanted = {f'{folder}/{name}' for folder in LAYOUTS for name in LAYOUTS[folder].files()}
        left = _LARGEST
        for member in tar:
            if member.name in wanted and member.isfile():
                left -= member.size
                if left < 0:
                    raise ValueError(
                        f'{self.path} would unpack to more than {_LARGEST} bytes; expected the '
                        'archive of CIFAR-10 or CIFAR-100. Get it again.'
                    )
                file = tar.extractfile(member)
                yield member.name, b'' if file is None else file.read()

    def _read(self, name: str) -> dict[str, Any]:
        where, found = f'{self.path}: {name}', self._files.get(f'{self.folder}/{name}')
        if found is None:
            raise FileNotFoundError(f'{where} is missing in {self.folder}; get the archive again.')
        return read_array_pickle(found.read_bytes() if isinstance(found, Path) else found, where)
