"""Reading the images of a pack by their number."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.datasets.packs.pack_record import (
    ARRAYS,
    FILE,
    HEAD,
    ORIGINALS,
    SHAPES,
    PackRecord,
    Shard,
    Stored,
    check_array,
)
from mochi_mm.files.array_file import map_array
from mochi_mm.files.image_file import MAX_BYTES
from mochi_mm.files.regular_file import check_regular, open_regular
from mochi_mm.files.shown import shown_path

#: Shards that one process holds open; opening one again costs a look at the file system.
_MAX_OPEN = 128


class PackReader:
    """Give the images of a pack by number, from any process, without a list in memory.

    The index is mapped: its pages are shared by all processes of a machine. Images are read with
    one ``pread`` each, from the pages that the system keeps of a file and shares likewise; a
    mapped shard would end the process, without a word, where a disk fails or a file is cut. Nothing
    is written, so a pack may lie on a file system that is read-only or far away. A pickle holds the
    path alone.

    Args:
        folder: A pack.
        shards: Folder of the shards, where they lie elsewhere, as the tars of an index do.

    Attributes:
        record: What the pack says of itself.
        arrays: Its index by name, see ``SHAPES`` of ``pack_record``.
        labels: (N,) int64, -1 for none.
        sizes: (N, 2) int32, width and height; 0 where an image cannot be read.
        originals: (N, 2) int32, the same of the images in the files; those of the pack where it
            does not say.
        digests: (N, 32) uint8, SHA-256 of the files that were packed.

    Raises:
        FileNotFoundError: No pack, or a file of it is missing.
        ValueError: Another version, or an array or shard that is torn or of another pack.
    """

    def __init__(self, folder: str | Path, shards: str | Path | None = None) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.place = self.folder if shards is None else Path(shards).expanduser().absolute()
        self.record = PackRecord.read(self.folder)
        self.arrays = {name: self._mapped(name) for name in SHAPES if self._has(name)}
        self.labels, self.sizes = self.arrays['labels'], self.arrays['sizes']
        self.digests = self.arrays['digests']
        self.originals = self.arrays.get(ORIGINALS, self.sizes)
        self._offsets, self._lengths = self.arrays['offsets'], self.arrays['lengths']
        self._ends = np.cumsum([shard.images for shard in self.record.shards])
        self._files: OrderedDict[int, _ShardFile] = OrderedDict()
        for number, shard in enumerate(self.record.shards):
            self._check_shard(number, shard)
        self._check_labels()

    def __len__(self) -> int:
        return self.record.images

    def name(self, row: int) -> str:
        """Return the path of an image below the folder that was packed."""
        ends = self.arrays['name_ends']
        start = int(ends[row - 1]) if row else 0
        return os.fsdecode(self.arrays['names'][start : int(ends[row])].tobytes())

    def names(self) -> list[str]:
        """Return the paths of all images, in their order."""
        text = self.arrays['names'].tobytes()
        ends = self.arrays['name_ends'].tolist()
        starts = [0, *ends[:-1]]
        return [os.fsdecode(text[a:b]) for a, b in zip(starts, ends, strict=True)]

    def data(self, row: int) -> bytes:
        """Return what the pack holds of an image.

        Raises:
            ValueError: Its shard has become shorter, or the index leads out of it; names it.
        """
        number = int(np.searchsorted(self._ends, row, side='right'))
        shard = self.record.shards[number]
        offset, length = int(self._offsets[row]), int(self._lengths[row])
        if not (0 <= offset <= offset + length <= shard.bytes and length <= MAX_BYTES):
            raise ValueError(
                f'the index of {shown_path(self.folder)} puts image {row} at {length} bytes behind '
                f'{offset} in {shard.file}, which has {shard.bytes}; the two do not belong '
                'together. Restore the pack, or pack the folder anew.'
            )
        data = os.pread(self._file(number).descriptor, length, offset)
        if len(data) < length:
            raise ValueError(self._torn(shard, f'ends within image {row}'))
        return data

    def path(self, shard: Shard) -> Path:
        """Return where a shard lies."""
        return self.place / shard.file

    def __getstate__(self) -> dict[str, Any]:
        return dict(folder=self.folder, place=self.place, digest=self.record.digest())

    def __setstate__(self, state: dict[str, Any]) -> None:
        PackReader.__init__(self, state['folder'], state['place'])
        if self.record.digest() != state['digest']:
            raise ValueError(
                f'{shown_path(self.folder)} holds another pack than a moment ago; expected the '
                'same in all workers. Start again.'
            )

    def _has(self, name: str) -> bool:
        return name in ARRAYS or f'{name}.npy' in self.record.files

    def _mapped(self, name: str) -> np.ndarray:
        path = self.folder / f'{name}.npy'
        stored = self.record.files[path.name]
        self._check_size(path, stored)
        return check_array(map_array(path), name, self.record.images, path)

    def _check_shard(self, number: int, shard: Shard) -> None:
        """Refuse a shard of another size or beginning, and an index that does not fill it."""
        path = self.path(shard)
        self._check_size(path, shard)
        with open_regular(path) as file:
            head = hashlib.sha256(file.read(HEAD)).hexdigest()
        if head != shard.head:
            raise ValueError(self._torn(shard, 'begins with other bytes than were packed'))
        if self.record.options.kind != 'tar' and shard.images:
            last, first = int(self._ends[number]) - 1, int(self._ends[number]) - shard.images
            end = int(self._offsets[last]) + int(self._lengths[last])
            if int(self._offsets[first]) != 0 or end != shard.bytes:
                raise ValueError(
                    f'the index of {shown_path(self.folder)} does not match {shard.file}; the two '
                    'do not belong together. Restore the pack, or pack the folder anew.'
                )

    def _check_size(self, path: Path, stored: Stored) -> None:
        try:
            check_regular(path)
            size = path.stat().st_size
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{shown_path(path)} is missing, of the pack in {shown_path(self.folder)}; restore '
                'it, or pack the folder anew.'
            ) from error
        if size != stored.bytes:
            raise ValueError(
                f'{shown_path(path)} has {size} bytes, {FILE} says {stored.bytes}: it is torn, or '
                'of another pack. Restore it, or pack the folder anew.'
            )

    def _check_labels(self) -> None:
        least, most, classes = int(self.labels.min()), int(self.labels.max()), self.record.classes
        if least < -1 or most >= len(classes):
            raise ValueError(
                f'{shown_path(self.folder)} has labels from {least} to {most} for {len(classes)} '
                'classes; restore the pack, or pack the folder anew.'
            )

    def _torn(self, shard: Shard, what: str) -> str:
        return (
            f'{shown_path(self.path(shard))} {what}: it is torn, or of another pack. Restore it, '
            'or pack the folder anew; tools/dataset/pack.py --check looks at every byte.'
        )

    def _file(self, number: int) -> _ShardFile:
        """Return an open shard; the one not used for longest is closed for it."""
        file = self._files.pop(number, None) or _ShardFile(self.path(self.record.shards[number]))
        self._files[number] = file
        if len(self._files) > _MAX_OPEN:
            self._files.popitem(last=False)
        return file


class _ShardFile:
    """A file descriptor that closes itself when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        self._file = open_regular(path)
        self.descriptor = self._file.fileno()
