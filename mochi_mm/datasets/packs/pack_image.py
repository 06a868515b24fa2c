"""One image file, made ready for a pack."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.read_image import read_image
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.image_file import read_encoded

#: Short side at which an image is compared with what the pack has of it: that of a usual view.
COMPARED = 224
_MAX_JPEG = 65_500


@dataclass(frozen=True)
class PackedImage:
    """One image of a pack, and what is known of it.

    Attributes:
        data: What the pack holds of it.
        size: (width, height) in the pack; (0, 0) where it cannot be read, and ``data`` is the file.
        digest: SHA-256 of the file.
        reason: Why it cannot be read; empty where it can.
        original: (width, height) of the upright image in the file; (0, 0) where it cannot be read.
        gray_levels: Mean difference from the file, of 255; None where it was not measured.
    """

    data: bytes
    size: tuple[int, int]
    digest: bytes
    reason: str = ''
    original: tuple[int, int] = (0, 0)
    gray_levels: float | None = None


def pack_image(
    path: str, options: PackOptions, compare: bool = False, reader: ImageReader | None = None
) -> PackedImage:
    """Return an image file as a pack with ``options`` holds it.

    A file that cannot be read is kept as it is, so that nothing is lost and the pack fails where
    the folder fails; one that cannot even be opened is empty.

    Args:
        path: The file.
        options: How it is stored. A JPEG with a side beyond 65,500 pixels, which the format does
            not have, is kept as it is.
        compare: Measure the difference from the file, see :func:`gray_levels`.
        reader: How files are read that are kept as they are; None for photographs.

    Raises:
        UnfitImage: A file of other channels or bits than the reader was told.
    """
    try:
        encoded = read_encoded(path)
    except (OSError, ValueError) as error:
        return PackedImage(b'', (0, 0), bytes(32), _one_line(error))
    digest = hashlib.sha256(encoded.data).digest()
    try:
        image = (reader or ImageReader()).image(encoded)
    except UnreadableImage as error:
        return PackedImage(encoded.data, (0, 0), digest, _one_line(error))
    if options.kind in ('as they are', 'tar'):
        return PackedImage(
            encoded.data, image.size, digest, '', image.size, 0.0 if compare else None
        )
    if not isinstance(image, Image.Image):
        raise ValueError(
            f'{path} is no 8-bit RGB image, and {options.kind} holds no others; pack as they are.'
        )
    small = _resized(image, options.short_side or 0)
    if options.kind == 'jpeg' and max(small.size) > _MAX_JPEG:
        return PackedImage(encoded.data, image.size, digest, '', image.size)
    data = small.tobytes() if options.kind == 'raw' else _as_jpeg(small, options)
    levels = None
    if compare:
        kept = small if options.kind == 'raw' else read_image(EncodedImage(data, path))
        levels = gray_levels(image, kept)
    return PackedImage(data, small.size, digest, '', image.size, levels)


def gray_levels(image: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two RGB images over pixels and channels, of 255.

    Both are compared at a short side of :data:`COMPARED` pixels, or that of the smaller one,
    resized as an evaluation does.
    """
    side = min(COMPARED, *image.size, *other.size)
    scale = side / min(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    pixels = [
        np.asarray(one.resize(size, Image.Resampling.BILINEAR), dtype=np.int16)
        for one in (image, other)
    ]
    return float(np.abs(pixels[0] - pixels[1]).mean())


def _resized(image: Image.Image, short_side: int) -> Image.Image:
    """Return the image with that short side; smaller ones, and all for 0, as they are."""
    short = min(image.size)
    if not short_side or short <= short_side:
        return image
    scale = short_side / short
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC)


def _as_jpeg(image: Image.Image, options: PackOptions) -> bytes:
    file = io.BytesIO()
    image.save(file, 'JPEG', quality=options.quality, subsampling=options.chroma)
    return file.getvalue()


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split())
