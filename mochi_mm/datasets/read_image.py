"""Image files as 8-bit RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def read_image(path: str | Path) -> Image.Image:
    """Return the image in ``path`` as PIL RGB, upright (EXIF orientation applied).

    Grey, palette and CMYK files are converted, transparency is dropped, an animation gives its
    first frame, 16-bit grey is scaled to 8 bits (PIL alone would turn it white).

    Raises:
        ValueError: The file cannot be decoded, or its pixels have no 8-bit meaning (float); names
            the file.
    """
    try:
        with Image.open(path) as image:
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith('I;16') or (image.mode == 'I' and image.format == 'PNG'):
                high = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
                return Image.fromarray(high.astype(np.uint8)).convert('RGB')
            if image.mode in ('I', 'F'):
                raise ValueError(
                    f'its pixels are {image.mode!r} numbers without a fixed range; '
                    'save it with 8 bits a channel'
                )
            # Straight to RGB, PIL warns once a file about transparency in a palette.
            return (image.convert('RGBA') if image.mode == 'P' else image).convert('RGB')
    except Exception as error:  # decoders raise many kinds; all mean the same, none is swallowed
        raise ValueError(
            f'cannot read image {str(path)!r}: {type(error).__name__}: {error}. '
            'Repair or remove the file.'
        ) from error
