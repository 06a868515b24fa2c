"""Image files as 8-bit RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.image_file import open_image

#: Larger images are refused before they are decoded: a small file can hold gigabytes of pixels.
MAX_PIXELS = 89_478_485


def read_image(path: str | Path | EncodedImage, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the image in ``path`` as PIL RGB, upright (EXIF orientation applied).

    The content must be of one of :data:`mochi_mm.files.image_file.FORMATS`.

    Gray, palette and CMYK files are converted, transparency is dropped (the colors under it stay),
    an animation gives its first frame, 16-bit gray is scaled to 8 bits (PIL alone would turn it
    white) and 16-bit color keeps its high byte.

    Args:
        path: The file, or one in memory; its ending is not looked at.
        max_pixels: Largest width x height that is decoded.

    Raises:
        UnreadableImage: A ``ValueError`` that names the file: it cannot be decoded, is too large,
            or its pixels have no 8-bit meaning (float).
    """
    try:
        with open_image(path) as image:
            if image.width * image.height > max_pixels:
                raise ValueError(
                    f'{image.width} x {image.height} pixels are more than {max_pixels}; save it '
                    'smaller'
                )
            ImageOps.exif_transpose(image, in_place=True)
            # PIL gives 16-bit numbers of these two formats as 32-bit ones.
            wide = image.mode == 'I' and image.format in ('PNG', 'PPM')
            if wide or image.mode.startswith('I;16'):
                high = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
                return Image.fromarray(high.astype(np.uint8)).convert('RGB')
            if image.mode in ('I', 'F'):
                raise ValueError(
                    f'its pixels are {image.mode!r} numbers without a fixed range; '
                    'save it with 8 bits a channel'
                )
            # Straight to RGB, PIL warns once per file about transparency in a palette.
            return (image.convert('RGBA') if image.mode == 'P' else image).convert('RGB')
    except Exception as error:  # decoders raise many kinds; all mean the same, none is swallowed
        raise UnreadableImage(
            f'cannot read image {str(path)!r}: {type(error).__name__}: {error}. '
            'Repair or remove the file.'
        ) from error
