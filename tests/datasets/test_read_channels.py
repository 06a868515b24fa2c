"""Files of any number of channels and bits, written by libraries that have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from mochi_mm.datasets import ConcatDataset, ImageFolder, InMemory, PackedImages
from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_writer import PackWriter
from mochi_mm.datasets.read_channels import read_channels
from mochi_mm.datasets.unfit_image import UnfitImage
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.files.encoded_image import EncodedImage

tifffile = pytest.importorskip('tifffile')


def numbers(channels: int, bits: int = 8, height: int = 9, width: int = 7) -> np.ndarray:
    rng = np.random.default_rng(channels * bits)
    kind = np.uint8 if bits == 8 else np.uint16
    return rng.integers(0, 2**bits, (height, width, channels)).astype(kind)


@pytest.mark.parametrize('channels', [1, 2, 4, 7])
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('layout', ['contig', 'separate', 'pages'])
def test_tiff(channels: int, bits: int, layout: str, tmp_path: Path) -> None:
    pixels = numbers(channels, bits)
    if layout == 'pages':
        planes = np.moveaxis(pixels, 2, 0)
        tifffile.imwrite(tmp_path / 'a.tif', planes, photometric='minisblack', compression='zlib')
    else:
        given = np.moveaxis(pixels, 2, 0) if layout == 'separate' else pixels
        given = given[0] if (layout, channels) == ('separate', 1) else given
        given = given[..., 0] if (layout, channels) == ('contig', 1) else given
        config = dict(planarconfig=layout) if channels > 1 else {}
        tifffile.imwrite(tmp_path / 'a.tif', given, photometric='minisblack', **config)
    image = read_channels(tmp_path / 'a.tif', channels, bits)
    assert isinstance(image, ChannelImage) and image.size == (7, 9)
    if bits == 8:
        assert image.pixels.dtype == np.uint8
        np.testing.assert_array_equal(image.pixels, pixels)
    else:
        assert image.pixels.dtype == np.float32
        np.testing.assert_allclose(image.pixels, pixels / 257.0, rtol=2e-7)
        # Nothing is lost: every one of the 65,536 numbers comes back.
        np.testing.assert_array_equal(np.rint(image.pixels.astype(np.float64) * 257), pixels)


@pytest.mark.parametrize(
    'settings',
    [dict(byteorder='>'), dict(bigtiff=True, tile=(16, 16)), dict(predictor=True)],
    ids=str,
)
def test_other_ways_to_write_a_tiff(settings: Any, tmp_path: Path) -> None:
    pixels = numbers(5, 16, 40, 36)
    kind = dict(photometric='minisblack', planarconfig='contig', compression='zlib')
    tifffile.imwrite(tmp_path / 'a.tif', pixels, **kind, **settings)
    image = np.asarray(read_channels(tmp_path / 'a.tif', 5, 16), np.float64)
    np.testing.assert_array_equal(np.rint(image * 257), pixels)


def test_all_numbers_of_16_bits_stay_apart(tmp_path: Path) -> None:
    every = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    tifffile.imwrite(tmp_path / 'a.tif', every, photometric='minisblack')
    levels = np.asarray(read_channels(tmp_path / 'a.tif', 1, 16)).ravel()
    assert len(np.unique(levels)) == 2**16 and levels[0] == 0 and levels[-1] == 255
    cv2.imwrite(str(tmp_path / 'a.png'), every)
    np.testing.assert_array_equal(
        np.asarray(read_channels(tmp_path / 'a.png', 1, 16)).ravel(), levels
    )


def test_bits_between_8_and_16(tmp_path: Path) -> None:
    """A camera of 12 bits in a file of 16: 4,095 is the largest level."""
    pixels = numbers(1, 12)[..., 0]
    tifffile.imwrite(tmp_path / 'a.tif', pixels, photometric='minisblack')
    image = np.asarray(read_channels(tmp_path / 'a.tif', 1, 12))[..., 0]
    np.testing.assert_allclose(image, pixels * (255 / 4095), rtol=2e-7)
    pixels[3, 3] = 5000
    tifffile.imwrite(tmp_path / 'a.tif', pixels, photometric='minisblack')
    with pytest.raises(
        UnfitImage, match=r'largest number is 5000, above 4095; expected 1 channel of 12'
    ):
        read_channels(tmp_path / 'a.tif', 1, 12)


@pytest.mark.parametrize(('channels', 'bits'), [(1, 8), (3, 8), (4, 8), (1, 16), (3, 16), (4, 16)])
def test_png_by_opencv(channels: int, bits: int, tmp_path: Path) -> None:
    pixels = numbers(channels, bits)
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    cv2.imwrite(str(tmp_path / 'a.png'), pixels[..., order])
    image = read_channels(tmp_path / 'a.png', channels, bits)
    assert isinstance(image, Image.Image) == ((channels, bits) == (3, 8))
    scale = 1 if bits == 8 else 257
    np.testing.assert_allclose(np.asarray(image), pixels / scale, rtol=2e-7)


def test_other_formats(picture: Image.Image, tmp_path: Path) -> None:
    gray = picture.convert('L')
    for name in ('a.jpg', 'a.png', 'a.bmp', 'a.webp', 'a.jp2'):
        picture.save(tmp_path / name)
        mine = np.asarray(read_channels(tmp_path / name, 3)).astype(int)
        with Image.open(tmp_path / name) as theirs:
            assert np.abs(mine - np.asarray(theirs)).max() <= (1 if name == 'a.webp' else 0), name
    gray.save(tmp_path / 'g.jpg')
    with Image.open(tmp_path / 'g.jpg') as theirs:
        mine = np.asarray(read_channels(tmp_path / 'g.jpg', 1))
        np.testing.assert_array_equal(mine[..., 0], np.asarray(theirs))
    both = Image.merge('LA', (gray, gray.rotate(180)))
    both.save(tmp_path / 'la.png')
    np.testing.assert_array_equal(
        np.asarray(read_channels(tmp_path / 'la.png', 2)), np.asarray(both)
    )


@pytest.mark.parametrize('orientation', range(1, 9))
def test_upright(orientation: int, picture: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / 'a.png', exif=exif)
    with Image.open(tmp_path / 'a.png') as turned:
        expected = np.asarray(ImageOps.exif_transpose(turned))
    np.testing.assert_array_equal(np.asarray(read_channels(tmp_path / 'a.png', 3)), expected)
    tag = (274, 'H', 1, orientation, True)
    tifffile.imwrite(tmp_path / 'a.tif', np.asarray(picture), photometric='rgb', extratags=[tag])
    np.testing.assert_array_equal(np.asarray(read_channels(tmp_path / 'a.tif', 3)), expected)


def test_what_a_tiff_holds_besides(tmp_path: Path) -> None:
    """Smaller copies and masks are no channels; white may be the smallest number."""
    pixels = numbers(2)
    with tifffile.TiffWriter(tmp_path / 'a.tif') as writer:
        for plane in np.moveaxis(pixels, 2, 0):
            writer.write(plane, photometric='minisblack', metadata=None)
        writer.write(pixels[::2, ::2, 0], photometric='minisblack', subfiletype=1, metadata=None)
    np.testing.assert_array_equal(np.asarray(read_channels(tmp_path / 'a.tif', 2)), pixels)
    tifffile.imwrite(tmp_path / 'b.tif', pixels[..., 0], photometric='miniswhite')
    image = np.asarray(read_channels(tmp_path / 'b.tif', 1))[..., 0]
    np.testing.assert_array_equal(image, 255 - pixels[..., 0])


def tiff(**settings: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        kwargs = dict(dict(photometric='minisblack'), **settings)
        tifffile.imwrite(path, kwargs.pop('data'), **kwargs)

    return write


def pil(mode: str, kind: str = 'PNG') -> Callable[[Path], None]:
    def write(path: Path) -> None:
        Image.new('RGB', (8, 8), (200, 40, 90)).convert(mode).save(path, kind)

    return write


def sixteen(path: Path) -> None:
    path.write_bytes(cv2.imencode('.png', numbers(4, 16))[1].tobytes())


def two_sizes(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for side in (8, 6, 8, 8):
            writer.write(np.zeros((side, 8), np.uint8), photometric='minisblack', metadata=None)


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    'three': (pil('RGB'), r'it has 3 channels \(RGB\)'),
    'gray': (pil('L'), r'it has 1 channel \(L\)'),
    'gray with alpha': (pil('LA'), r'it has 2 channels \(LA, the last of them transparency\)'),
    'palette': (pil('P'), 'numbers of a palette'),
    'black and white': (pil('1'), '1 bit each'),
    'inks': (pil('CMYK', 'JPEG'), r'inks \(CMYK\)'),
    '16 bits': (sixteen, 'its numbers are uint16'),
    'seven': (tiff(data=np.zeros((8, 8, 7), np.uint8), planarconfig='contig'), 'it has 7 channels'),
    'pages': (tiff(data=np.zeros((5, 8, 8), np.uint8)), r'it has 5 channels \(5 pages\)'),
    'float': (tiff(data=np.zeros((4, 8, 8), np.float32)), 'numbers are float32, without a fixed'),
    'signed': (tiff(data=np.zeros((4, 8, 8), np.int16)), 'numbers are int16, without a fixed'),
    '32 bits': (tiff(data=np.zeros((4, 8, 8), np.uint32)), 'numbers are uint32, without a fixed'),
    'palette tiff': (
        tiff(
            data=np.zeros((8, 8), np.uint8),
            photometric='palette',
            colormap=np.zeros((3, 256), np.uint16),
        ),
        'of the kind PALETTE',
    ),
    'pages of two sizes': (two_sizes, 'its pages differ: 8 x 8 of uint8, 8 x 6 of uint8'),
    'volume': (
        tiff(data=np.zeros((16, 16, 16), np.uint8), volumetric=True, tile=(16, 16, 16)),
        'axes',
    ),
}


@pytest.mark.parametrize('name', REFUSED)
def test_unfit(name: str, tmp_path: Path) -> None:
    """The file, what was found and what was expected; the same at the start of a run."""
    write, found = REFUSED[name]
    write(tmp_path / 'bad.tif')
    with pytest.raises(UnfitImage, match=rf'bad\.tif.*{found}.*expected 4 channels of 8 bits'):
        read_channels(tmp_path / 'bad.tif', 4)
    with pytest.raises(UnfitImage, match=r'bad\.tif.*check.py FOLDER --channels 4 --bits 8 lists'):
        ImageFolder(tmp_path, channels=4)


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, numbers(4), photometric='minisblack', planarconfig='contig')
    data = path.read_bytes()
    with pytest.raises(UnreadableImage, match=r'a\.tif.*7 x 9 pixels are more than 10'):
        read_channels(path, 4, max_pixels=10)
    wide = tmp_path / 'wide.tif'
    tifffile.imwrite(wide, numbers(7), photometric='minisblack', planarconfig='contig')
    with pytest.raises(
        UnreadableImage, match=r'7 x 9 pixels of 7 channels are more than 400 numbers'
    ):
        read_channels(wide, 7, max_pixels=100)
    path.write_bytes(data[:-100])
    with pytest.raises(UnreadableImage, match=r'cannot read image .*a\.tif'):
        read_channels(path, 4)
    path.write_bytes(b'II*\0 nothing')
    with pytest.raises(UnreadableImage, match=r'cannot read image .*a\.tif'):
        read_channels(path, 4)
    png = cv2.imencode('.png', numbers(4, height=64, width=64))[1].tobytes()
    with pytest.raises(UnreadableImage, match='cannot read image .in memory'):
        read_channels(EncodedImage(png[:-2000], 'in memory'), 4)
    tifffile.imwrite(path, numbers(1)[..., 0], photometric='minisblack')
    monkeypatch.setitem(__import__('sys').modules, 'tifffile', None)
    with pytest.raises(ImportError, match=r'a\.tif.*pip install tifffile'):
        read_channels(path, 1)


def test_compression_that_needs_another_package(tmp_path: Path) -> None:
    if __import__('importlib').util.find_spec('imagecodecs'):
        pytest.skip('imagecodecs is there')
    Image.fromarray(numbers(1)[..., 0]).save(tmp_path / 'a.tif', compression='tiff_lzw')
    with pytest.raises(ImportError, match=r'a\.tif.*compressed by LZW.*pip install imagecodecs'):
        ImageFolder(tmp_path, channels=1)


@pytest.mark.parametrize(
    ('channels', 'bits', 'said'),
    [
        (0, 8, 'channels is 0; expected an integer >= 1'),
        (True, 8, 'channels is True'),
        (513, 8, 'channels is 513; expected 1 to 512'),
        (4, 7, 'bits is 7; expected an integer from 8 to 16'),
        (4, 16.0, r'bits is 16\.0'),
        (None, 16, 'bits is 16 but channels is not set'),
    ],
)
def test_words_out_of_range(channels: Any, bits: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ImageReader(channels, bits)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('bands')
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 2**16, (20, 24, 4)).astype(np.uint16)
        tifffile.imwrite(root / f'{i}.tif', pixels, photometric='minisblack', planarconfig='contig')
    return root


def test_data_sets(folder: Path, tmp_path: Path) -> None:
    plain = ImageFolder(folder, channels=4, bits=16)
    held = InMemory(dict(type='ImageFolder', data_root=folder, channels=4, bits=16))
    with pytest.raises(
        ValueError, match="'jpeg' are 8-bit RGB, and channels is 4; pack .*as they are"
    ):
        PackWriter(plain, tmp_path / 'no', PackOptions.of('jpeg'))
    PackWriter(plain, tmp_path / 'pack', PackOptions.of('as they are'), tell=lambda _: None).write()
    packed = PackedImages(tmp_path / 'pack', channels=4, bits=16)
    assert packed.pack.record.bad == 0
    for data in (plain, held, packed, ConcatDataset([plain])):
        assert data.channels == 4
        for i in range(3):
            expected = tifffile.imread(folder / f'{i}.tif') / 257.0
            np.testing.assert_allclose(np.asarray(data.image(i)), expected, rtol=2e-7)
    assert held.pixels.dtype.is_floating_point
    with pytest.raises(UnfitImage, match='it has 4 channels; expected 3 channels of 8 bits'):
        PackedImages(tmp_path / 'pack', channels=3)
    with pytest.raises(ValueError, match=r'datasets\[0\].* of 3 channels, datasets\[1\] of 4'):
        ConcatDataset([dict(type='ShapeScenes', num_scenes=3), plain])


def test_photographs_in_a_pack_have_no_channels(picture: Image.Image, tmp_path: Path) -> None:
    (tmp_path / 'in').mkdir()
    picture.save(tmp_path / 'in/a.png')
    source = ImageFolder(tmp_path / 'in')
    PackWriter(source, tmp_path / 'pack', PackOptions.of('raw'), tell=lambda _: None).write()
    with pytest.raises(ValueError, match=r'channels is 3, but .*pack holds 8-bit RGB \(raw\)'):
        PackedImages(tmp_path / 'pack', channels=3)


def test_a_mixed_folder_ends_the_run(folder: Path, tmp_path: Path) -> None:
    """Also where damaged files are replaced by others: it is not damaged."""
    from mochi_mm.datasets.fault_record import FaultRecord

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    Image.new('RGB', (24, 20)).save(tmp_path / '9.png')
    data = ImageFolder(tmp_path, channels=4, bits=16, pipeline=[dict(type='PackInputs')])
    data.faults = FaultRecord(len(data))
    with pytest.raises(
        UnfitImage, match=r'9\.png.*it has 3 channels \(RGB\); expected 4 channels of 16'
    ):
        data[3]


@pytest.mark.parametrize('kind', ['MultiView', 'FastMultiView'])
def test_colors_are_refused_at_construction(kind: str, folder: Path) -> None:
    views = dict(type=kind, num_views=[2])
    crop = dict(type='RandomResizedCrop', size=8)
    for name in ('ColorJitter', 'RandomGrayscale'):
        views['transforms'] = [[crop, dict(type=name)]]
        with pytest.raises(ValueError, match=rf'{name} changes colors.* 4 channels.*ChannelJitter'):
            ImageFolder(folder, channels=4, bits=16, pipeline=[views])
        within = dict(type='ImageFolder', data_root=folder, channels=4, bits=16)
        with pytest.raises(ValueError, match=f'{name} changes colors'):
            InMemory(within, pipeline=[views])
        with pytest.raises(ValueError, match=f'{name} changes colors'):
            ConcatDataset([within], pipeline=[views])
