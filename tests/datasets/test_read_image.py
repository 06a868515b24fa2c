"""read_image: every kind of file as upright 8-bit RGB, or an error that names the file."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.read_image import read_image


def test_lossless_rgb_is_untouched(tmp_path, picture) -> None:
    picture.save(tmp_path / 'a.png')
    assert np.array_equal(np.asarray(read_image(tmp_path / 'a.png')), np.asarray(picture))


@pytest.mark.parametrize('mode', ['L', 'LA', 'RGBA', 'P', '1', 'CMYK'])
def test_other_modes_become_rgb(tmp_path, picture, mode) -> None:
    path = tmp_path / f'a.{"tif" if mode == "CMYK" else "png"}'
    stored = picture.convert(mode)
    stored.save(path)
    image = read_image(path)
    assert image.mode == 'RGB'
    assert np.array_equal(np.asarray(image), np.asarray(stored.convert('RGB')))


def test_palette_with_transparency_gives_no_warning(tmp_path, picture) -> None:
    stored = picture.convert('P')
    stored.save(tmp_path / 'a.png', transparency=bytes(range(256)))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        image = read_image(tmp_path / 'a.png')
    assert np.array_equal(np.asarray(image), np.asarray(stored.convert('RGB')))


def test_16_bit_gray_is_scaled(tmp_path) -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    for name in ('a.png', 'a.tif'):
        Image.fromarray(values).save(tmp_path / name)
        out = np.asarray(read_image(tmp_path / name))
        assert np.array_equal(out, np.repeat((values // 256)[..., None], 3, axis=2))


def test_float_pixels_are_refused(tmp_path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / 'a.tif')
    with pytest.raises(ValueError, match=r"a\.tif.*'F' numbers"):
        read_image(tmp_path / 'a.tif')


def test_exif_orientation_is_applied(tmp_path, picture) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned clockwise by a quarter
    picture.save(tmp_path / 'a.png', exif=exif)
    expected = np.rot90(np.asarray(picture), k=-1)
    assert np.array_equal(np.asarray(read_image(tmp_path / 'a.png')), expected)


def test_animation_gives_its_first_frame(tmp_path, picture) -> None:
    frames = [picture.convert('P'), picture.rotate(180).convert('P')]
    frames[0].save(tmp_path / 'a.gif', save_all=True, append_images=frames[1:])
    gap = np.asarray(read_image(tmp_path / 'a.gif'), float) - np.asarray(frames[0].convert('RGB'))
    assert np.abs(gap).mean() < 1


@pytest.mark.parametrize('damage', ['text', 'empty', 'cut', 'absent'])
def test_files_that_cannot_be_decoded_are_named(tmp_path, picture, damage) -> None:
    path = tmp_path / 'broken.jpg'
    picture.save(path)
    if damage == 'absent':
        path.unlink()
    else:
        path.write_bytes(dict(text=b'hello', empty=b'', cut=path.read_bytes()[:800])[damage])
    with pytest.raises(ValueError, match=r'broken\.jpg.*Repair or remove'):
        read_image(path)
