"""The header reader agrees with PIL wherever it gives an answer, and gives none when unsure."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.transforms.plain_jpeg import plain_jpeg_size

PIXELS = np.random.default_rng(0).integers(0, 256, (19, 33, 3), dtype=np.uint8)


def jpeg(mode: str = 'RGB', **settings: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, 'JPEG', **settings)
    return file.getvalue()


@pytest.mark.parametrize(
    'settings',
    [
        dict(),
        dict(mode='L'),
        dict(progressive=True),
        dict(optimize=True),
        dict(subsampling='4:4:4', quality=100),
        dict(icc_profile=b'p' * 5000),
        dict(comment=b'hello'),
        dict(restart_marker_rows=1),
    ],
)
def test_plain_files(settings: dict[str, Any]) -> None:
    assert plain_jpeg_size(jpeg(**settings)) == (33, 19)


def test_no_answer_where_another_reader_must_look() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = jpeg()
    frame = whole.index(b'\xff\xc0')
    odd = bytearray(whole)
    odd[frame + 4] = 12  # bits
    no_height = bytearray(whole)
    no_height[frame + 5 : frame + 7] = b'\0\0'
    short = whole[:2] + b'\xff\xfe\0\1' + whole[2:]
    several = whole[:2] + b'\xff\xe2\0\x06MPF\0' + whole[2:]  # further pictures behind the first
    for data in (
        jpeg(exif=exif),
        jpeg(mode='CMYK'),
        whole[:-2],
        whole[: frame + 3] + b'\xff\xd9',
        bytes(odd),
        bytes(no_height),
        short,
        several,
        b'',
        b'\xff\xd8\xff\xd9',
        b'\x89PNG' + whole[4:],
    ):
        assert plain_jpeg_size(data) is None
