"""An index of tars of images, made once: a pack whose shards are the tars."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mochi_mm.datasets.packs.pack_folder import PackFolder
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_record import HEAD, VERSION, PackRecord, Shard
from mochi_mm.datasets.packs.tar_samples import TarSample, tar_samples
from mochi_mm.datasets.packs.told import told
from mochi_mm.datasets.packs.write_index import write_index
from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.image_file import MAX_BYTES, open_image
from mochi_mm.files.shown import shown_path

_MAX_CLASSES = 2**20


def index_tars(
    folder: str | Path,
    out: str | Path,
    classes: Sequence[str] | None = None,
    tell: Callable[[str], object] = print,
) -> PackRecord:
    """Write an index of the tars in a folder, for :class:`PackedImages`; return its record.

    The order is that of the names of the tars, then that of their images, named
    ``TAR/name of the file``. The tars are read once, in full, and stay as they are.

    Args:
        folder: Holds ``*.tar``.
        out: The index, see :class:`PackFolder`.
        classes: Names of the classes, label by label; numbers by default.
        tell: Called with lines about the progress.

    Raises:
        FileNotFoundError: No tar there.
        ValueError: A tar that is damaged or compressed, labels without a name, no image.
    """
    root = Path(folder).expanduser().absolute()
    paths = sorted(root.glob('*.tar'))
    if not paths:
        raise FileNotFoundError(
            f'no tar in {shown_path(root)}; expected files that end in .tar, not compressed.'
        )
    state = [f'{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}' for path in paths]
    plan = dict(
        version=VERSION,
        options=PackOptions.of('tar').to_json(),
        classes=hashlib.sha256('\n'.join(classes or ()).encode()).hexdigest(),
        source=hashlib.sha256('\n'.join(map(ascii, state)).encode()).hexdigest(),
    )
    place = PackFolder(Path(out), plan)
    if not place.is_whole():
        with place.opened():
            try:
                _write(place.pack, paths, classes, tell)
            except Exception:
                place.clear()  # nothing in it would spare a later start anything
                raise
            place.finish()
    place.clear()
    return PackRecord.read(place.out)


def _write(
    pack: Path,
    paths: Sequence[Path],
    classes: Sequence[str] | None,
    tell: Callable[[str], object],
) -> None:
    shards: list[Shard] = []
    samples: list[TarSample] = []
    names: list[str] = []
    sizes: list[tuple[int, int]] = []
    digests: list[bytes] = []
    bad: dict[int, str] = {}
    for path in told(paths, len(paths), 'tars', tell):
        found = tar_samples(path)
        shards.append(_shard(path, len(found)))
        with open(path, 'rb') as file:
            for sample in found:
                name = f'{path.name}/{sample.image.name}'
                size, digest, reason = _looked_at(file.fileno(), sample, name)
                if reason:
                    bad[len(names)] = reason
                    tell(f'cannot be read: {name!a}: {reason}')
                names.append(name)
                sizes.append(size)
                digests.append(digest)
        samples += found
    if not samples:
        raise ValueError(f'no images in the tars of {shown_path(paths[0].parent)}.')
    arrays: dict[str, np.ndarray] = dict(
        offsets=np.array([sample.image.offset for sample in samples], dtype=np.int64),
        lengths=np.array([sample.image.size for sample in samples], dtype=np.int64),
        labels=np.array([sample.label for sample in samples], dtype=np.int64),
        sizes=np.array(sizes, dtype=np.int32),
        digests=np.frombuffer(b''.join(digests), dtype=np.uint8).reshape(-1, 32),
    )
    named = _classes(arrays['labels'], classes)
    write_index(pack, PackOptions.of('tar'), named, shards, arrays, names, bad, [])


def _shard(path: Path, images: int) -> Shard:
    with open(path, 'rb') as file:
        head = hashlib.sha256(file.read(HEAD)).hexdigest()
    return Shard(path.stat().st_size, sha256_of(path), path.name, images, head)


def _looked_at(file: int, sample: TarSample, name: str) -> tuple[tuple[int, int], bytes, str]:
    """Return size, digest, and what is wrong with an image, by its header."""
    if sample.image.size > MAX_BYTES:
        return (0, 0), bytes(32), f'it has {sample.image.size} bytes'
    data = os.pread(file, sample.image.size, sample.image.offset)
    digest = hashlib.sha256(data).digest()
    try:
        with open_image(EncodedImage(data, name)) as image:
            return image.size, digest, ''
    except Exception as error:  # noqa: BLE001  # decoders raise many kinds; all mean the same
        return (0, 0), digest, ' '.join(str(error).split())


def _classes(labels: np.ndarray, classes: Sequence[str] | None) -> tuple[str, ...]:
    most = int(labels.max())
    if classes is None:
        if most >= _MAX_CLASSES:
            raise ValueError(f'the largest label is {most}; expected below {_MAX_CLASSES}.')
        return tuple(str(label) for label in range(most + 1))
    if most >= len(classes):
        raise ValueError(
            f'the largest label in the tars is {most}, and {len(classes)} classes are named; '
            'expected a name for each label, line i + 1 for label i.'
        )
    return tuple(classes)
