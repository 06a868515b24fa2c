"""How a data set reads its files: as photographs, or with the channels that they have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.read_channels import read_channels
from mochi_mm.datasets.read_image import MAX_PIXELS, read_image
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.utils.checks import check_integer

#: As many as the record of a weight file holds statistics of.
MAX_CHANNELS = 512


class ImageReader:
    """Read image files as a data set was told.

    Args:
        channels: Number of channels of every file; see :func:`read_channels`. None for photographs,
            which all become 8-bit RGB (:func:`mochi_mm.datasets.read_image.read_image`).
        bits: Of each number, 8 to 16; with ``channels``.
        max_pixels: Largest width x height that is decoded.

    Attributes:
        channels: Of the images that it returns.
        strict: Whether files are taken as they are.

    Raises:
        ValueError: A number out of range, or bits without channels.

    >>> ImageReader().channels, ImageReader(channels=4, bits=16).channels
    (3, 4)
    """

    def __init__(
        self, channels: int | None = None, bits: int = 8, max_pixels: int = MAX_PIXELS
    ) -> None:
        self.strict, self.bits, self.max_pixels = channels is not None, bits, max_pixels
        if type(bits) is not int or not 8 <= bits <= 16:
            raise ValueError(f'bits is {bits!r}; expected an integer from 8 to 16.')
        if channels is None:
            if bits != 8:
                raise ValueError(
                    f'bits is {bits} but channels is not set, and photographs are read with 8 '
                    'bits; set channels, 3 for RGB.'
                )
            self.channels = 3
            return
        self.channels = check_integer('channels', channels, 4)
        if self.channels > MAX_CHANNELS:
            raise ValueError(f'channels is {channels}; expected 1 to {MAX_CHANNELS}.')

    def image(self, source: str | Path | EncodedImage) -> Image.Image | ChannelImage:
        """Return an image; raises ``UnreadableImage`` or ``UnfitImage``, which name the file."""
        if not self.strict:
            return read_image(source, self.max_pixels)
        return read_channels(source, self.channels, self.bits, self.max_pixels)

    def source(
        self, source: str | Path | EncodedImage, drawn: tuple[int, int] | None = None
    ) -> SourceImage:
        """Return the same for recipes that decode: a photograph may still be encoded.

        Args:
            source: A path, or a file in memory.
            drawn: See :class:`SourceImage`.
        """
        if not self.strict:
            return SourceImage.open(source, drawn)
        return SourceImage(np.asarray(self.image(source)), name=str(source), drawn=drawn)
