"""Images in a pack: a few large files instead of one file an image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.class_list import read_class_list
from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.packs.pack_reader import PackReader
from mochi_mm.datasets.packs.select_rows import select_rows
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.registry import DATASETS


@DATASETS.register_module()
class PackedImages(ImageDataset):
    """The images of a folder that ``tools/dataset/pack.py`` packed, or of tars that
    ``tools/dataset/index_tars.py`` looked through.

    Samples, labels and names are those of :class:`ImageFolder` on the folder that was packed, in
    the same order, so keyed draws, lists of classes and lists of images mean the same. A file that
    could not be read has its place here too, and is the error here that it is there. All recipes
    of views read it; crops are drawn on the size that the image has in its file, where the pack
    says it, and cut out of what the pack holds.

    Args:
        data_root: The pack, or a folder of packs.
        split: Sub-folder of ``data_root`` to use, such as 'train'.
        classes: Restricts the data set to these classes, as in :class:`ImageFolder`; an empty list
            means all images, without labels.
        pipeline: See :class:`ImageDataset`.
        exclude: A text file with the names of images to leave out, as in :class:`ImageFolder`; the
            ``exclude.txt`` of a pack lists those that cannot be read.
        include: A text file with the names of the only images to take, likewise.
        shards: Folder of the tars, where the pack is an index of tars and lies elsewhere.
        channels: As in :class:`ImageFolder`, for packs of files as they are and for tars.
        bits: Likewise.

    Raises:
        FileNotFoundError: No pack there, or a file of it, or a list, is missing.
        ValueError: Another version, a file that is torn or of another pack, a class that the pack
            does not have, ``channels`` for a pack of 8-bit RGB, a list with a name that is no
            image, or no image among the first few that can be decoded.
    """

    def __init__(
        self,
        data_root: str | Path,
        split: str = '',
        classes: str | Path | Sequence[str] | None = None,
        pipeline: Sequence[Any] = (),
        exclude: str | Path | None = None,
        include: str | Path | None = None,
        shards: str | Path | None = None,
        channels: int | None = None,
        bits: int = 8,
    ) -> None:
        super().__init__(pipeline)
        self.reader = ImageReader(channels, bits)
        self.channels = self.reader.channels
        self.pipeline.check_channels(self.channels)
        self.pack = PackReader(Path(data_root).expanduser() / split, shards)
        _check_kind(self.reader, self.pack)
        names = None if classes is None else read_class_list(classes)
        chosen = select_rows(self.pack, names, exclude, include)
        self._rows, self.classes, self.labels = chosen.rows, chosen.classes, chosen.labels
        self.try_first()
        print_log(
            f'{len(self)} images of {len(self.classes)} classes in the pack {self.pack.folder}',
            logger='current',
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker needs to open the pack again; arrays of the pack stay there."""
        state = {key: value for key, value in self.__dict__.items() if key != '_last'}
        if self._rows is None:
            del state['labels']
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._rows is None:
            self.labels = np.array(self.pack.labels)

    def row(self, index: int) -> int:
        """Return the number in the pack of image ``index``."""
        return int(index) if self._rows is None else int(self._rows[index])

    def name(self, index: int) -> str:
        """Return the path of image ``index`` below the folder that was packed."""
        return self.pack.name(self.row(index))

    def digest(self, index: int) -> bytes:
        """Return the SHA-256 of the file that image ``index`` was made of."""
        return self.pack.digests[self.row(index)].tobytes()

    def fingerprint(self) -> str:
        """Return a digest of names and files that were packed, and how, in order of the samples."""
        return self.fingerprint_of(range(len(self)))

    def fingerprint_of(self, indices: Iterable[int]) -> str:
        """Return the same of some of the samples."""
        digest = hashlib.sha256(repr(self.pack.record.options).encode())
        if self._smaller:
            digest.update(b'boxes on the sizes of the files')
        wanted = np.fromiter(indices, dtype=np.int64)
        rows = wanted if self._rows is None else self._rows[wanted]
        for start in range(0, len(rows), 2**16):
            digest.update(self.pack.digests[rows[start : start + 2**16]].tobytes())
        return digest.hexdigest()[:16]

    def image(self, index: int) -> Any:
        """Return image ``index``; raises ``UnreadableImage``, which names it."""
        row = self.row(index)
        pixels = self._pixels(row)
        if pixels is None:
            return self.reader.image(self._encoded(row))
        return Image.fromarray(pixels)

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline; undecoded where its first transform decodes."""
        if not self.pipeline.takes_files:
            result = super().sample(index)
            drawn = self._drawn(self.row(index))
            return dict(result, drawn_on=(result['img'], drawn)) if drawn else result
        row = self.row(index)
        drawn = self._drawn(row)
        pixels = self._pixels(row)
        if pixels is None:
            source = self.reader.source(self._encoded(row), drawn)
        else:
            source = SourceImage(pixels, drawn=drawn)
        return dict(source=source, gt_label=int(self.labels[index]), sample_idx=int(index))

    @property
    def _smaller(self) -> bool:
        return self.pack.originals is not self.pack.sizes

    def _drawn(self, row: int) -> tuple[int, int] | None:
        """Return (width, height) of an image in its file, where it is another there."""
        width, height = (int(side) for side in self.pack.originals[row])
        return (width, height) if self._smaller and min(width, height) > 0 else None

    def _pixels(self, row: int) -> np.ndarray | None:
        """Return an image that is held as pixels, (H, W, 3) uint8; None for an encoded one."""
        width, height = (int(side) for side in self.pack.sizes[row])
        if self.pack.record.options.kind != 'raw' or not width:
            return None
        data = self.pack.data(row)
        if len(data) != 3 * width * height or min(width, height) < 1:
            raise ValueError(
                f'image {row} of the pack {self.pack.folder} has {len(data)} bytes for {width} x '
                f'{height} pixels; the index does not match the shards. Restore the pack, or pack '
                'the folder anew.'
            )
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)

    def _encoded(self, row: int) -> EncodedImage:
        return EncodedImage(self.pack.data(row), f'{self.pack.folder}:{self.pack.name(row)}')


def _check_kind(reader: ImageReader, pack: PackReader) -> None:
    """Refuse channels for a pack whose images were made RGB."""
    kind = pack.record.options.kind
    if reader.strict and kind in ('jpeg', 'raw'):
        raise ValueError(
            f'channels is {reader.channels}, but {pack.folder} holds 8-bit RGB ({kind}); pack the '
            'folder with --as-they-are, which keeps the files, or leave channels out.'
        )
