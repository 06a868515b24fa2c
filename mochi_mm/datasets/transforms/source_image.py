"""One image, decoded once for all its views, and only as large as they need it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from mochi_mm.datasets.read_image import MAX_PIXELS, read_image
from mochi_mm.datasets.transforms.drawn_box import Box, scaled_box
from mochi_mm.datasets.transforms.plain_jpeg import plain_jpeg_size
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.image_file import open_image, read_encoded

#: How the decoder is told to divide both sides. RGB is a flag of its own beside them.
_DIVIDED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: 0,
}
_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_ORIENTATION = 0x0112
_END = b'\xff\xd9'


class SourceImage:
    """An image in memory, or a JPEG file that is still to be decoded.

    Args:
        image: PIL image in mode RGB, ``ChannelImage``, or its pixels (H, W, C).
        encoded: An upright JPEG file of ``size`` (width, height), instead of ``image``.
        size: See ``encoded``.
        name: Name of the image in errors.
        drawn: (width, height) on which boxes are drawn, where it is not the size of the image.
    """

    def __init__(
        self,
        image: Any = None,
        encoded: EncodedImage | None = None,
        size: tuple[int, int] = (0, 0),
        name: str = 'in memory',
        drawn: tuple[int, int] | None = None,
    ) -> None:
        self._encoded, self.name = encoded, name
        self._pixels: Any = None if encoded is not None else _writable(image)
        self._decoded: dict[int, np.ndarray] = {}
        if self._pixels is not None:
            if self._pixels.ndim != 3 or (isinstance(image, Image.Image) and image.mode != 'RGB'):
                raise ValueError(
                    f'the image {name} has the shape {self._pixels.shape}; expected (H, W, C), as '
                    "a PIL image in mode 'RGB' or a ChannelImage has."
                )
            size = self._pixels.shape[1], self._pixels.shape[0]
        self._size = size
        self.width, self.height = drawn or size

    @property
    def channels(self) -> int:
        """Return C; a JPEG file is read as RGB."""
        return 3 if self._pixels is None else int(self._pixels.shape[2])

    @classmethod
    def open(
        cls, source: str | Path | EncodedImage, drawn: tuple[int, int] | None = None
    ) -> SourceImage:
        """Return an image file: a whole, upright JPEG undecoded, others by ``read_image``.

        Args:
            source: A path, or a file in memory.
            drawn: See :class:`SourceImage`.

        Raises:
            UnreadableImage: The file cannot be decoded; names it.
        """
        try:
            encoded = source if isinstance(source, EncodedImage) else read_encoded(source)
        except Exception:  # noqa: BLE001  # read_image says which
            return cls(read_image(source), name=str(source), drawn=drawn)
        size = plain_jpeg_size(encoded.data) or _upright_jpeg_size(encoded)
        if size is None or size[0] * size[1] > MAX_PIXELS:
            return cls(read_image(encoded), name=str(source), drawn=drawn)
        return cls(encoded=encoded, size=size, name=str(source), drawn=drawn)

    def crops(self, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        """Return each box (top, left, height, width) resized to its size, (h, w, C).

        Bilinear with a filter as wide as a result pixel, like PIL's resize: the same pixels, to
        one gray level, when the file was decoded in full. A box that is at least twice as large as
        its result in both directions may come from a decoding at half size, and so on; only when
        all boxes allow it.
        """
        drawn = self.width, self.height
        boxes = [scaled_box(box, drawn, self._size) for box in boxes]
        spare = min(min(b[2] // s[0], b[3] // s[1]) for b, s in zip(boxes, sizes, strict=True))
        divisor = next(d for d in _DIVIDED if d <= max(1, spare))
        divisor = 1 if self._encoded is None else divisor
        pixels = self._decode(divisor)
        return [
            _resized(pixels, box, divisor, size) for box, size in zip(boxes, sizes, strict=True)
        ]

    def _decode(self, divisor: int) -> np.ndarray:
        """Return the pixels at a reduced size; decoded once for each."""
        if self._encoded is None:
            return self._pixels
        if divisor not in self._decoded:
            self._decoded[divisor] = _decoded(self._encoded, divisor)
        return self._decoded[divisor]


def _writable(image: Any) -> np.ndarray:
    """Return pixels that torch takes: PIL's memory is read-only, and copied."""
    ready = isinstance(image, np.ndarray) and image.flags.writeable
    return image if ready else np.array(image)


def _upright_jpeg_size(encoded: EncodedImage) -> tuple[int, int] | None:
    """Return (width, height) of a whole JPEG that is not to be turned, as PIL sees it."""
    try:
        with open_image(encoded) as header:
            plain = header.format == 'JPEG' and header.mode in ('RGB', 'L')
            turned = 'exif' in header.info and header.getexif().get(_ORIENTATION, 1) != 1
            # The fast decoder would fill what is missing of a torn file with gray, and say nothing.
            whole = _END in encoded.data[-1024:]
            return header.size if plain and whole and not turned else None
    except Exception:  # noqa: BLE001  # decoders raise many kinds; read_image says which
        return None


def _decoded(encoded: EncodedImage, divisor: int) -> np.ndarray:
    try:
        data = np.frombuffer(encoded.data, np.uint8)
        pixels: Any = cv2.imdecode(data, _RGB | _DIVIDED[divisor])
    except cv2.error:  # such as too many pixels
        pixels = None
    if pixels is None:
        # PIL reads past damage at which this decoder stops, and its word decides.
        pixels = np.array(read_image(encoded))
        return pixels if divisor == 1 else _shrunk(pixels, divisor)
    return pixels


def _shrunk(pixels: np.ndarray, divisor: int) -> np.ndarray:
    """Return the image at the size that a reduced decoding has."""
    height, width = (-(-side // divisor) for side in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _resized(pixels: np.ndarray, box: Box, divisor: int, size: tuple[int, int]) -> np.ndarray:
    """Return the box resized bilinearly with antialiasing, (h, w, C) of the same type."""
    top, left, height, width = (round(value / divisor) for value in box)
    height, width = max(1, height), max(1, width)
    # Rows of bytes are copied much faster than pixels of three bytes. With its axes permuted the
    # copy is a channels-last batch to torch, whose resize is fastest there, and stays one.
    channels = pixels.shape[2]
    rows = pixels.reshape(len(pixels), -1)[top : top + height]
    cut = np.ascontiguousarray(rows[:, channels * left : channels * (left + width)])
    cut = cut.reshape(1, len(cut), -1, channels)
    if cut.shape[1:3] == size:
        return cut[0]
    planes = torch.from_numpy(cut).permute(0, 3, 1, 2)
    result = F.interpolate(planes, size=size, mode='bilinear', antialias=True)
    return np.ascontiguousarray(result.numpy()[0].transpose(1, 2, 0))
