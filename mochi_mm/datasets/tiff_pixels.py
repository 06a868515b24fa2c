"""Pixels of a TIFF file, with any number of channels and of 8 or 16 bits, by tifffile."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from mochi_mm.datasets.unfit_image import UnfitImage

_BEGINNINGS = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
#: Pages of one file; more are a film or a volume.
_MOST_PAGES = 4096
_ORIENTATION = 274
#: Numbers for each pixel of the largest image; with more channels it must be smaller.
_MOST_NUMBERS = 4
#: What a sample may stand for; black may be 0 or the largest number.
_PHOTOMETRIC = ('MINISBLACK', 'MINISWHITE', 'RGB')
_AXES = ('YX', 'YXS', 'SYX')


def is_tiff(data: bytes) -> bool:
    """Return whether a file begins as a TIFF does, of either kind and byte order."""
    return data[:4] in _BEGINNINGS


def tiff_pixels(data: bytes, channels: int, max_pixels: int) -> tuple[np.ndarray, int]:
    """Return the pixels (H, W, C) of a TIFF file, and the orientation that it asks for.

    The channels are the samples of its pages, one page after the other: a file with n bands, or
    with n pages of one. Smaller copies and masks that some programs add are passed over.

    Args:
        data: The file.
        channels: Their expected number, known before anything is decoded.
        max_pixels: Largest width x height that is decoded.

    Raises:
        ImportError: tifffile is not there, or imagecodecs for a compression that needs it.
        UnfitImage: Another number of channels, numbers that are not unsigned of 8 or 16 bits, a
            palette, pages of different sizes.
        ValueError: Too large, or damaged.
    """
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            'TIFF files with channels=... are read by tifffile: pip install tifffile (or '
            'mochi_mm[tiff]).'
        ) from error
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        # Pages alone: the descriptions within a file may name other files.
        if len(file.pages) > _MOST_PAGES:
            raise UnfitImage(f'it has {len(file.pages)} pages; expected at most {_MOST_PAGES}')
        all_pages: list[Any] = list(file.pages)
        pages = [page for page in all_pages if not (page.is_reduced or page.is_mask)]
        if not pages:
            raise ValueError('it has no page with an image')
        _check(pages, channels, max_pixels)
        planes = [_page(page) for page in pages]
        orientation = pages[0].tags.get(_ORIENTATION)
        return np.concatenate(planes, axis=2), 1 if orientation is None else int(orientation.value)


def _check(pages: list[Any], channels: int, max_pixels: int) -> None:
    first = pages[0]
    for page in pages:
        if page.photometric is None or page.photometric.name not in _PHOTOMETRIC:
            name = getattr(page.photometric, 'name', str(page.photometric))
            raise UnfitImage(
                f'its colors are of the kind {name}; expected intensities or RGB '
                f'({", ".join(_PHOTOMETRIC)})'
            )
        if page.dtype is None or page.dtype.kind != 'u' or page.dtype.itemsize > 2:
            raise UnfitImage(
                f'its numbers are {page.dtype or "of an unknown type"}, without a fixed range; '
                'expected unsigned integers of 8 or 16 bits'
            )
        if page.axes not in _AXES:
            raise UnfitImage(f'a page has the axes {page.axes}; expected rows, columns, channels')
        here = (page.imagelength, page.imagewidth, page.dtype)
        if here != (first.imagelength, first.imagewidth, first.dtype):
            raise UnfitImage(
                f'its pages differ: {first.imagewidth} x {first.imagelength} of {first.dtype}, '
                f'{page.imagewidth} x {page.imagelength} of {page.dtype}; expected one size'
            )
    found = sum(page.samplesperpixel for page in pages)
    if found != channels:
        told = f' ({len(pages)} pages)' if len(pages) > 1 else ''
        raise UnfitImage(f'it has {found} channel{"s" * (found != 1)}{told}')
    if first.imagelength * first.imagewidth > max_pixels:
        raise ValueError(
            f'{first.imagewidth} x {first.imagelength} pixels are more than {max_pixels}; save it '
            'smaller'
        )
    if channels * first.imagelength * first.imagewidth > _MOST_NUMBERS * max_pixels:
        raise ValueError(
            f'{first.imagewidth} x {first.imagelength} pixels of {channels} channels are more than '
            f'{_MOST_NUMBERS * max_pixels} numbers; cut it into smaller ones'
        )


def _page(page: Any) -> np.ndarray:
    """Return the samples of one page, (H, W, S); black is 0."""
    try:
        pixels = page.asarray(maxworkers=1)
    except (ValueError, ImportError) as error:
        if 'imagecodecs' not in str(error):
            raise
        raise ImportError(
            f'a TIFF file is compressed by {page.compression.name}, for which tifffile needs '
            'imagecodecs: pip install imagecodecs (or mochi_mm[tiff]).'
        ) from error
    pixels = pixels.reshape(page.shape)
    if page.axes == 'YX':
        pixels = pixels[..., None]
    elif page.axes == 'SYX':
        pixels = np.moveaxis(pixels, 0, 2)
    if page.photometric.name == 'MINISWHITE':
        pixels = (2**page.bitspersample - 1 - pixels.astype(np.int64)).astype(pixels.dtype)
    return pixels
