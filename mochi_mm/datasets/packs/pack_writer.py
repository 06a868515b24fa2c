"""Packing a folder of images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.packs.in_order import in_order
from mochi_mm.datasets.packs.pack_folder import PackFolder
from mochi_mm.datasets.packs.pack_image import PackedImage, pack_image
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_record import HEAD, ORIGINALS, VERSION, PackRecord, Shard
from mochi_mm.datasets.packs.told import told
from mochi_mm.datasets.packs.write_index import write_index
from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.json_text import read_json_file
from mochi_mm.utils.checks import check_integer

#: Every so many images one is compared with its file.
COMPARE_EVERY = 16
#: Images of a shard, about 180 MB at the default size; a kill costs at most these.
SHARD_IMAGES = 4096
#: Shards of a pack: its record, which names each, is read up to 16 MiB.
MOST_SHARDS = 50_000
#: What is noted of each image of a shard.
_NOTED = ('lengths', 'sizes', 'originals', 'digests', 'levels', 'bad')
_CHUNK = 16  # images that a process is given at once


class PackWriter:
    """Write the images of a folder into a pack, shard by shard.

    The bytes depend on the files, their order and the options alone, not on the number of
    processes, nor on where a kill stopped an earlier start: finished shards are kept, the others
    are made anew. Memory does not grow with the number of images, but for their index.

    Args:
        source: The images; an :class:`ImageFolder` says which, in which order, with which labels.
        out: The pack, see :class:`PackFolder`.
        options: How images are stored.
        shard_images: Images of a shard.
        workers: Processes that decode and encode.
        tell: Called with lines about the progress.

    Raises:
        ValueError: A number out of range, channels that the kind does not hold, or a pack within
            the folder that is packed; when writing, see :class:`PackFolder`.
        OSError: When writing: the disk is full; nothing has the name of the pack then, and the
            same call goes on.
    """

    def __init__(
        self,
        source: ImageFolder,
        out: str | Path,
        options: PackOptions,
        shard_images: int = SHARD_IMAGES,
        workers: int = 1,
        tell: Callable[[str], object] = print,
    ) -> None:
        self.source, self.options, self.tell = source, options, tell
        self.shard_images = check_integer('shard_images', shard_images, SHARD_IMAGES)
        self.workers = check_integer('workers', workers, 4)
        if options.kind == 'tar':
            raise ValueError("the kind 'tar' is read, not packed; expected another one.")
        if source.reader.strict and options.kind != 'as they are':
            raise ValueError(
                f'images of the kind {options.kind!r} are 8-bit RGB, and channels is '
                f"{source.reader.channels}; pack the files with the kind 'as they are' "
                '(--as-they-are).'
            )
        if Path(out).resolve().is_relative_to(Path(source.root).resolve()):
            raise ValueError(
                f'{out} lies in {source.root}, which is packed; expected OUT outside of it.'
            )
        self.num_shards = -(-len(source) // shard_images)
        if self.num_shards > MOST_SHARDS:
            raise ValueError(
                f'shard_images is {shard_images}, which divides {len(source)} images into '
                f'{self.num_shards} shards; expected at most {MOST_SHARDS}: set it to '
                f'{-(-len(source) // MOST_SHARDS)} or more.'
            )
        plan = dict(
            version=VERSION,
            options=options.to_json(),
            shard_images=shard_images,
            images=len(source),
            classes=hashlib.sha256('\n'.join(source.classes).encode()).hexdigest(),
            labels=hashlib.sha256(source.labels.astype('<i8').tobytes()).hexdigest(),
            source=source.fingerprint(),
        )
        self.folder = PackFolder(Path(out), plan)

    def write(self) -> PackRecord:
        """Write what is missing of the pack, and return its record."""
        if not self.folder.is_whole():
            try:
                with self.folder.opened():
                    self._write_shards()
                    self._write_index()
                    self.folder.finish()
            except OSError as error:
                raise OSError(
                    f'{self.folder.work} cannot be written: {error}. Nothing is at '
                    f'{self.folder.out}; make room, and give the same command: it goes on.'
                ) from error
        self.folder.clear()
        return PackRecord.read(self.folder.out)

    def rows(self, number: int) -> range:
        """Return the images of a shard."""
        start = number * self.shard_images
        return range(start, min(start + self.shard_images, len(self.source)))

    def _write_shards(self) -> None:
        missing = [number for number in range(self.num_shards) if self._part(number) is None]
        if len(missing) < self.num_shards:
            self.tell(f'{self.num_shards - len(missing)} of {self.num_shards} shards are there')
        total = sum(len(self.rows(number)) for number in missing)
        chunks = (
            rows[start : start + _CHUNK]
            for rows in map(self.rows, missing)
            for start in range(0, len(rows), _CHUNK)
        )
        jobs = (([self.source.path(row) for row in chunk], _compared(chunk)) for chunk in chunks)
        work = partial(_pack_chunk, self.options, self.source.reader)
        packed = in_order(work, jobs, self.workers)
        images = told(chain.from_iterable(packed), total, 'images', self.tell)
        for number in missing:
            self._write_shard(number, images)

    def _write_shard(self, number: int, images: Iterator[PackedImage]) -> None:
        """Write one shard, then the note of what is in it: without the note it counts as absent."""
        note: dict[str, Any] = {name: [] for name in _NOTED}
        head = bytearray()

        def write(file: Any) -> None:
            for row in self.rows(number):
                image = next(images)
                file.write(image.data)
                head.extend(image.data[: HEAD - len(head)])
                note['lengths'].append(len(image.data))
                note['sizes'].append(image.size)
                note['originals'].append(image.original)
                note['digests'].append(image.digest.hex())
                if image.gray_levels is not None:
                    note['levels'].append(image.gray_levels)
                if image.reason:
                    note['bad'].append([row, image.reason])

        file = _shard_file(number)
        size, sha256 = write_atomically(self.folder.pack / file, write)
        digest = hashlib.sha256(head).hexdigest()
        note['shard'] = asdict(Shard(size, sha256, file, len(self.rows(number)), digest))
        text = json.dumps(note).encode()
        write_atomically(self._note(number), lambda opened: opened.write(text))
        for row, reason in note['bad']:
            self.tell(f'cannot be read, and is kept as it is: {self.source.name(row)!a}: {reason}')

    def _note(self, number: int) -> Path:
        return self.folder.parts / f'{number:05}.json'

    def _part(self, number: int) -> Any:
        """Return the note of a shard that is there whole, else None."""
        try:
            note = read_json_file(self._note(number), file_names=True)
            size = (self.folder.pack / _shard_file(number)).stat().st_size
        except FileNotFoundError:
            return None
        return note if size == note['shard']['bytes'] else None

    def _write_index(self) -> None:
        count = len(self.source)
        offsets, lengths = np.zeros(count, np.int64), np.zeros(count, np.int64)
        sizes, originals = np.zeros((2, count, 2), np.int32)
        digests = np.zeros((count, 32), np.uint8)
        shards: list[Shard] = []
        bad: dict[int, str] = {}
        levels: list[float] = []
        for number in range(self.num_shards):
            note, rows = self._part(number), self.rows(number)
            part = slice(rows.start, rows.stop)
            lengths[part] = note['lengths']
            offsets[part] = np.cumsum([0, *note['lengths'][:-1]])
            sizes[part], originals[part] = note['sizes'], note['originals']
            joined = bytes.fromhex(''.join(note['digests']))
            digests[part] = np.frombuffer(joined, np.uint8).reshape(-1, 32)
            levels += note['levels']
            bad.update((row, reason) for row, reason in note['bad'])
            shards.append(Shard(**note['shard']))
        arrays: dict[str, np.ndarray] = dict(
            offsets=offsets,
            lengths=lengths,
            sizes=sizes,
            digests=digests,
            labels=self.source.labels,
        )
        if self.options.kind != 'as they are':
            arrays[ORIGINALS] = originals
        names = [self.source.name(row) for row in range(count)]
        write_index(
            self.folder.pack, self.options, self.source.classes, shards, arrays, names, bad, levels
        )


def _shard_file(number: int) -> str:
    return f'images-{number:05}.bin'


def _compared(rows: Sequence[int]) -> list[bool]:
    return [row % COMPARE_EVERY == 0 for row in rows]


def _pack_chunk(
    options: PackOptions, reader: ImageReader, job: tuple[list[str], list[bool]]
) -> list[PackedImage]:
    return [pack_image(path, options, one, reader) for path, one in zip(*job, strict=True)]
