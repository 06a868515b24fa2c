"""What a pack says of itself: ``pack.json``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.files.json_text import MAX_RECORD, read_json_file
from mochi_mm.files.shown import shown, shown_path

FILE = 'pack.json'
VERSION = 2
#: Versions that are read; packs of the first do not hold the sizes of the files.
_READ = (1, VERSION)
#: Bytes at the beginning of a shard that tell it from others when a pack is opened.
HEAD = 4096
#: The arrays of an index with the type and the shape of one row; ``names`` is text.
ARRAYS: dict[str, tuple[str, tuple[int, ...]]] = dict(
    offsets=('<i8', ()),
    lengths=('<i8', ()),
    labels=('<i8', ()),
    sizes=('<i4', (2,)),
    digests=('|u1', (32,)),
    name_ends=('<i8', ()),
    names=('|u1', ()),
)
#: An array that only some packs have: (width, height) of the images in the files.
ORIGINALS = 'originals'
SHAPES = ARRAYS | {ORIGINALS: ARRAYS['sizes']}
_DIGEST = re.compile(r'[0-9a-f]{64}')


@dataclass(frozen=True)
class Stored:
    """One file of a pack: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Shard(Stored):
    """One file of images.

    Attributes:
        file: Its name.
        images: Their number; they follow those of the shard before.
        head: SHA-256 of its first :data:`HEAD` bytes.
    """

    file: str
    images: int
    head: str


@dataclass(frozen=True)
class PackRecord:
    """Content of ``pack.json``.

    Attributes:
        options: How images are stored.
        classes: Names of the classes; label i is the i-th.
        images: Their number.
        bad: How many of them cannot be read.
        source: SHA-256 over names, files and labels of what was packed.
        gray_levels: ``mean`` and ``largest`` difference of the images that were compared with
            their files, and their number (``images``).
        shards: In the order of their images.
        files: The arrays and lists, by their names.
    """

    options: PackOptions
    classes: tuple[str, ...]
    images: int
    bad: int
    source: str
    gray_levels: dict[str, float]
    shards: tuple[Shard, ...]
    files: dict[str, Stored]

    def to_json(self) -> str:
        """Return the text of ``pack.json``."""
        return json.dumps(dict(version=VERSION, **asdict(self)), indent=1) + '\n'

    def digest(self) -> str:
        """Return the SHA-256 of that text, which stands for the whole pack."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> PackRecord:
        """Return the record of a pack.

        Raises:
            FileNotFoundError: There is no pack.
            ValueError: It is of another version, or damaged.
        """
        path = folder / FILE
        try:
            data = read_json_file(path, MAX_RECORD, file_names=True)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'no pack in {shown_path(folder)}: there is no {FILE}. Make one with '
                'tools/dataset/pack.py FOLDER OUT, or set data_root (and split) to one.'
            ) from error
        version = data.get('version') if isinstance(data, dict) else None
        if version not in _READ:
            raise ValueError(
                f'{shown_path(path)} is of version {shown(version)}; this program reads the '
                f'versions up to {VERSION}. Pack the folder anew, or use the version of mochi_mm '
                'that packed it.'
            )
        try:
            return cls._from(data)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{shown_path(path)} is no record of a pack ({shown(str(error))}); restore it, or '
                'pack the folder anew.'
            ) from error

    @classmethod
    def _from(cls, data: Mapping[str, Any]) -> PackRecord:
        shards = tuple(_shard(item) for item in data['shards'])
        options = {key: data['options'][key] for key in PackOptions('raw').to_json()}
        record = cls(
            PackOptions(**options),
            tuple(_text(name) for name in data['classes']),
            _count(data['images']),
            _count(data['bad']),
            _digest(data['source']),
            {_text(key): float(value) for key, value in data['gray_levels'].items()},
            shards,
            {_file(name): _stored(item) for name, item in data['files'].items()},
        )
        if sum(shard.images for shard in shards) != record.images or not record.images:
            raise ValueError(f'shards that hold {record.images} images together')
        if len({shard.file for shard in shards}) < len(shards):
            raise ValueError('two shards of one name')
        wanted = (
            SHAPES if data['version'] > 1 and record.options.kind in ('jpeg', 'raw') else ARRAYS
        )
        missing = [name for name in wanted if f'{name}.npy' not in record.files]
        if missing:
            raise ValueError(f'no array {missing[0]}')
        return record


def _shard(item: Mapping[str, Any]) -> Shard:
    stored = _stored(item)
    return Shard(
        stored.bytes,
        stored.sha256,
        _file(item['file']),
        _count(item['images']),
        _digest(item['head']),
    )


def _stored(item: Mapping[str, Any]) -> Stored:
    return Stored(_count(item['bytes']), _digest(item['sha256']))


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f'{shown(value)} is no count')
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{shown(value)} is no name')
    return value


def _file(value: Any) -> str:
    """Return the name of a file in the folder of the pack itself."""
    if '/' in _text(value) or '\0' in value or value in ('', '.', '..'):
        raise ValueError(f'{shown(value)} is no name of a file')
    return value


def _digest(value: Any) -> str:
    if not _DIGEST.fullmatch(_text(value)):
        raise ValueError(f'{shown(value)} is no digest')
    return value


def check_array(array: np.ndarray, name: str, images: int, path: Path) -> np.ndarray:
    """Return an array of an index if its type and length are those that a pack has.

    Raises:
        ValueError: They are not.
    """
    kind, row = SHAPES[name]
    shape = array.shape if name == 'names' else (images, *row)
    if array.dtype.str != kind or array.shape != shape or array.ndim != 1 + len(row):
        raise ValueError(
            f'{shown_path(path)} holds {array.dtype} {array.shape}; expected {np.dtype(kind)} '
            f'{shape}, of {images} images: it does not belong to this {FILE}. Restore both, or '
            'pack the folder anew.'
        )
    return array
