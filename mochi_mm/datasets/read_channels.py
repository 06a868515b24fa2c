"""Image files with the channels and bits that they have: nothing is converted or dropped."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.read_image import MAX_PIXELS
from mochi_mm.datasets.tiff_pixels import is_tiff, tiff_pixels
from mochi_mm.datasets.unfit_image import UnfitImage
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.image_file import open_image, read_encoded

_ORIENTATION = 0x0112
#: Channels of PIL's modes whose numbers are intensities; I is what it makes of 16 bits.
_CHANNELS = {'L': 1, 'LA': 2, 'RGB': 3, 'RGBA': 4, 'I': 1, 'I;16': 1, 'I;16B': 1, 'I;16L': 1}
_KINDS = {
    'P': 'its colors are numbers of a palette',
    'PA': 'its colors are numbers of a palette',
    '1': 'its pixels are black or white, 1 bit each',
    'CMYK': 'its colors are inks (CMYK)',
    'F': 'its numbers are floating point, without a fixed range',
}


def read_channels(
    source: str | Path | EncodedImage, channels: int, bits: int = 8, max_pixels: int = MAX_PIXELS
) -> Image.Image | ChannelImage:
    """Return the image in ``source`` in gray levels, 0 to 255, upright.

    Numbers of b > 8 bits become ``x * 255 / (2 ** b - 1)`` in float32, which keeps all of them
    apart; those of 8 bits stay as they are. The order of the channels is the file's. A fourth
    channel that a PNG or WebP calls transparency is a channel like the others.

    Args:
        source: The file, or one in memory; its ending is not looked at.
        channels: Their number in every file.
        bits: Of each number: 8, or 9 to 16 in files of 16.
        max_pixels: Largest width x height that is decoded.

    Returns:
        RGB as PIL's, three channels of 8 bits; else a ``ChannelImage``.

    Raises:
        ImportError: A package that a TIFF file needs is not there.
        UnfitImage: A ``ValueError``: other channels or bits, a palette, inks, signed or floating
            numbers; names the file, what was found and what was expected.
        UnreadableImage: A ``ValueError``: it cannot be decoded or is too large; names the file.
    """
    expected = f'expected {channels} channel{"s" * (channels != 1)} of {bits} bits'
    try:
        encoded = source if isinstance(source, EncodedImage) else read_encoded(source)
        if is_tiff(encoded.data):
            pixels, orientation = tiff_pixels(encoded.data, channels, max_pixels)
        else:
            pixels, orientation = _plain_pixels(encoded, channels, max_pixels)
        levels = _levels(_upright(pixels, orientation), bits)
    except UnfitImage as error:
        raise UnfitImage(
            f'image {str(source)!r} does not fit: {error}; {expected}, as channels and bits of the '
            'data set say. Set these to what the files hold, convert the file, or leave it out: '
            f'tools/dataset/check.py FOLDER --channels {channels} --bits {bits} lists all such.'
        ) from error
    except ImportError as error:
        raise ImportError(f'cannot read image {str(source)!r}: {error}') from error
    except Exception as error:  # decoders raise many kinds; all mean the same, none is swallowed
        raise UnreadableImage(
            f'cannot read image {str(source)!r}: {type(error).__name__}: {error}. '
            'Repair or remove the file.'
        ) from error
    return Image.fromarray(levels) if (channels, bits) == (3, 8) else ChannelImage(levels)


def _plain_pixels(encoded: EncodedImage, channels: int, max_pixels: int) -> tuple[np.ndarray, int]:
    """Return the pixels (H, W, C) of any other format, and the orientation that it asks for."""
    with open_image(encoded) as image:
        if image.width * image.height > max_pixels:
            raise ValueError(
                f'{image.width} x {image.height} pixels are more than {max_pixels}; save it smaller'
            )
        mode, orientation = image.mode, int(image.getexif().get(_ORIENTATION, 1))
        found = _CHANNELS.get(mode)
        if found is None:
            raise UnfitImage(_KINDS.get(mode, f'its pixels are of the kind {mode}'))
        if found != channels:
            alpha = ', the last of them transparency' if mode.endswith('A') else ''
            raise UnfitImage(f'it has {found} channel{"s" * (found != 1)} ({mode}{alpha})')
        image.load()  # which stops at a torn file, where OpenCV fills in gray
        gray_alpha = np.asarray(image) if mode == 'LA' else None
    # PIL keeps 8 bits of 16 where there are several channels.
    data = np.frombuffer(encoded.data, np.uint8)
    decoded: np.ndarray | None = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError('OpenCV cannot decode it')
    if gray_alpha is not None:
        if decoded.dtype != np.uint8:
            raise UnfitImage('it is gray with transparency, of 16 bits; save it as TIFF')
        return gray_alpha, orientation
    pixels = decoded.reshape(*decoded.shape[:2], -1)
    if pixels.shape[2] != channels:
        raise UnfitImage(f'it has {pixels.shape[2]} channels, one of them transparency')
    # OpenCV's order is blue, green, red, alpha.
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    return np.ascontiguousarray(pixels[..., order]), orientation


def _levels(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Return numbers of that many bits in gray levels."""
    stored = pixels.dtype
    if stored != (np.uint8 if bits == 8 else np.uint16):
        raise UnfitImage(f'its numbers are {stored}')
    if bits == 8:
        return np.ascontiguousarray(pixels)
    largest = 2**bits - 1
    if bits < 16 and (most := int(pixels.max())) > largest:
        raise UnfitImage(f'its largest number is {most}, above {largest}')
    return pixels.astype(np.float32) * np.float32(255 / largest)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return pixels (H, W, C) turned as an EXIF orientation asks; 1 is upright."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
