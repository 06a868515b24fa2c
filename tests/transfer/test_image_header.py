"""Sizes come from headers alone; what is no image is named."""

from __future__ import annotations

import re
from pathlib import Path

import mmcv
import pytest
from PIL import Image

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.transfer.image_header import check_images, image_size


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
@pytest.mark.parametrize('orientation', [None, 1, 3, 6, 8])
def test_the_size_is_that_of_the_loaded_image(
    tmp_path: Path, suffix: str, orientation: int | None
) -> None:
    path = tmp_path / f'image.{suffix}'
    image = Image.new('RGB', (30, 20))
    exif = image.getexif()
    if orientation and suffix == 'jpg':
        exif[0x0112] = orientation
    image.save(path, exif=exif)
    height, width = mmcv.imread(path).shape[:2]
    assert image_size(path) == (width, height)


@pytest.mark.parametrize(('data', 'message'), [(b'', 'is empty'), (b'<html>', 'is no image')])
def test_no_image(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / 'image.jpg'
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf'image\.jpg {message}; restore it'):
        image_size(path)


def test_every_image_is_compared(tmp_path: Path) -> None:
    records = []
    for i in range(20):
        Image.new('RGB', (30, 20)).save(tmp_path / f'{i}.png')
        records.append(dict(img_path=str(tmp_path / f'{i}.png'), width=30, height=20))
    check_images(records, 'list.json')
    records[17].update(width=20, height=30)
    message = re.escape('17.png has (width, height) = (30, 20) but list.json says (20, 30)')
    with pytest.raises(ValueError, match=message):
        check_images(records, 'list.json')
