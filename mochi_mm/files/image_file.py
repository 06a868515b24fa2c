"""Opening of image files with Pillow, in a closed list of formats."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.regular_file import open_regular, read_bytes
from mochi_mm.files.shown import shown_path

#: What Pillow may decode. The content decides, not the ending: without a list a file of PostScript
#: named .jpg would be handed to Ghostscript, a program with a language of its own. JPEG
#: includes those with further pictures behind the first (MPO), as cameras write them.
FORMATS = ('JPEG', 'PNG', 'BMP', 'DIB', 'GIF', 'TIFF', 'WEBP', 'PPM', 'JPEG2000')
#: Larger files are refused unread; no image of an allowed number of pixels comes near it.
MAX_BYTES = 2**30


@contextmanager
def open_image(source: str | Path | EncodedImage) -> Iterator[Image.Image]:
    """Open an image file of one of :data:`FORMATS`; its pixels are read later, and only here in.

    Args:
        source: A path, or a file in memory.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no regular file, or larger than :data:`MAX_BYTES`.
        PIL.UnidentifiedImageError: It starts as none of the formats.
    """
    with _opened(source) as file:
        try:
            opened = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise UnidentifiedImageError(
                f'{shown_path(source)} starts as none of {", ".join(FORMATS)}; expected an image '
                'of one of these formats, whatever its ending. Convert it, or leave it out.'
            ) from error
        with opened as image:
            yield image


def _opened(source: str | Path | EncodedImage) -> BinaryIO:
    if isinstance(source, EncodedImage):
        return io.BytesIO(source.data)
    file = open_regular(source)
    size = os.fstat(file.fileno()).st_size
    if size > MAX_BYTES:
        file.close()
        raise ValueError(
            f'{shown_path(source)} has {size} bytes; expected an image of up to {MAX_BYTES}. '
            'Save it smaller.'
        )
    return file


def read_encoded(path: str | Path) -> EncodedImage:
    """Return an image file of up to :data:`MAX_BYTES` undecoded; raises as ``read_bytes``."""
    return EncodedImage(read_bytes(path, MAX_BYTES), str(path))
