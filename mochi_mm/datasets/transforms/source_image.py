"""One image, decoded once for all its views, and only as large as they need it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from mochi_mm.datasets.read_image import MAX_PIXELS, read_image
from mochi_mm.files.image_file import MAX_BYTES
from mochi_mm.files.regular_file import read_bytes

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

Box = tuple[int, int, int, int]


class SourceImage:
    """An RGB image in memory, or a JPEG file that is still to be decoded.

    Args:
        image: PIL image, or (H, W, 3) uint8.
        data: Bytes of an upright JPEG file of ``size`` (width, height), instead of ``image``.
        size: See ``data``.
        name: Name of the image in errors.
    """

    def __init__(
        self,
        image: Any = None,
        data: bytes | None = None,
        size: tuple[int, int] = (0, 0),
        name: str = 'in memory',
    ) -> None:
        self._data, self.name = data, name
        # A copy: PIL's memory is read-only, which torch does not take.
        self._pixels: Any = None if data is not None else np.array(image)
        self.width, self.height = size
        if self._pixels is not None:
            if self._pixels.ndim != 3 or self._pixels.shape[2] != 3:
                raise ValueError(
                    f'the image {name} has the shape {self._pixels.shape}; expected (H, W, 3), as '
                    "a PIL image in mode 'RGB' has."
                )
            self.height, self.width = self._pixels.shape[:2]

    @classmethod
    def open(cls, path: str | Path) -> SourceImage:
        """Return the image in ``path``: a whole, upright JPEG undecoded, others by ``read_image``.

        Raises:
            UnreadableImage: The file cannot be decoded; names it.
        """
        try:
            data = read_bytes(path, MAX_BYTES)
            with Image.open(io.BytesIO(data), formats=('JPEG',)) as header:
                plain = header.format == 'JPEG' and header.mode in ('RGB', 'L')
                size = header.size
                turned = 'exif' in header.info and header.getexif().get(_ORIENTATION, 1) != 1
        except Exception:  # noqa: BLE001  # decoders raise many kinds; read_image says which
            return cls(read_image(path))
        # The fast decoder would fill what is missing of a torn file with gray, and say nothing.
        whole = _END in data[-1024:]
        if plain and whole and not turned and size[0] * size[1] <= MAX_PIXELS:
            return cls(data=data, size=size, name=str(path))
        return cls(read_image(path))

    def crops(self, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        """Return each box (top, left, height, width) resized to its size, (h, w, 3) uint8.

        Bilinear with a filter as wide as a result pixel, like PIL's resize: the same pixels, to
        one gray level, when the file was decoded in full. A box that is at least twice as large as
        its result in both directions may come from a decoding at half size, and so on; only when
        all boxes allow it.
        """
        spare = min(min(b[2] // s[0], b[3] // s[1]) for b, s in zip(boxes, sizes, strict=True))
        divisor = next(d for d in _DIVIDED if d <= max(1, spare))
        divisor = 1 if self._data is None else divisor
        pixels = self._decode(divisor)
        return [
            _resized(pixels, box, divisor, size) for box, size in zip(boxes, sizes, strict=True)
        ]

    def _decode(self, divisor: int) -> np.ndarray:
        if self._data is None:
            return self._pixels
        try:
            decoded = cv2.imdecode(np.frombuffer(self._data, np.uint8), _RGB | _DIVIDED[divisor])
        except cv2.error:  # such as too many pixels
            decoded = None
        if decoded is None:
            # PIL reads past damage at which this decoder stops, and its word decides.
            pixels = np.array(read_image(self.name))
            return pixels if divisor == 1 else _shrunk(pixels, divisor)
        return decoded


def _shrunk(pixels: np.ndarray, divisor: int) -> np.ndarray:
    """Return the image at the size that a reduced decoding has."""
    height, width = (-(-side // divisor) for side in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _resized(pixels: np.ndarray, box: Box, divisor: int, size: tuple[int, int]) -> np.ndarray:
    """Return the box resized bilinearly with antialiasing, (h, w, 3) uint8."""
    top, left, height, width = (round(value / divisor) for value in box)
    height, width = max(1, height), max(1, width)
    # Torch copies the box much faster than NumPy, which loops over three bytes at a time. Made a
    # batch first and permuted then, it is channels-last to torch, whose resize is fastest there.
    cut = torch.from_numpy(pixels)[None, top : top + height, left : left + width].contiguous()
    if tuple(cut.shape[1:3]) == size:
        return cut[0].numpy()
    planes = cut.permute(0, 3, 1, 2)
    result = F.interpolate(planes, size=size, mode='bilinear', antialias=True)
    return result[0].permute(1, 2, 0).contiguous().numpy()
