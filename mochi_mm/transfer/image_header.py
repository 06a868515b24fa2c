"""Check of image sizes against annotations, from the headers alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import ExifTags, UnidentifiedImageError

from mochi_mm.files.image_file import open_image

# Headers lie on network storage where data sets are large: waiting for several at once is faster.
THREADS = 8


def image_size(path: str | Path) -> tuple[int, int]:
    """Return (width, height) of an image as it is loaded, turned as its EXIF data say.

    Raises:
        ValueError: An empty file, or none that starts as an image.
    """
    try:
        with open_image(path) as image:
            width, height = image.size
            # Without the first condition Pillow would decode a whole PNG to look for them.
            if 'exif' in image.info and image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:
                return height, width
            return width, height
    except (ValueError, FileNotFoundError):
        raise  # named
    except Exception as error:  # decoders raise many kinds
        what = 'is empty' if Path(path).stat().st_size == 0 else 'is no image'
        if not isinstance(error, UnidentifiedImageError):
            what += f' that can be read ({type(error).__name__}: {error})'
        raise ValueError(f'{path} {what}; restore it, or take it off the list.') from error


def check_images(records: Iterable[Mapping[str, Any]], source: str) -> None:
    """Compare the size of each image with that of its annotation.

    Args:
        records: Records of an mmdet data set: ``img_path``, ``width`` and ``height``.
        source: File of the annotations, for the error; ``xml_path`` of a record goes before.

    Raises:
        ValueError: Another size, or no image.
    """

    def check(record: Mapping[str, Any]) -> None:
        found, said = image_size(record['img_path']), (record['width'], record['height'])
        if found != said:
            raise ValueError(
                f'{record["img_path"]} has (width, height) = {found} but '
                f'{record.get("xml_path", source)} says {said}, so boxes would lie elsewhere; '
                'correct the annotation or restore the image.'
            )

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(check, records):
            pass
