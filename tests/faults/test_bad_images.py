"""Image files of every kind, in the folder of a run: what each becomes, or how it is named.

python -m pytest tests/faults/test_bad_images.py
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import ImageFolder
from mochi_mm.datasets.fault_record import FaultRecord
from mochi_mm.datasets.path_list import from_line
from mochi_mm.datasets.read_image import read_image
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.randomness import SampleKey
from tests.toy_runner import REPOSITORY, TWO_VIEWS, runner_config, train

GOOD = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)


def jpeg(path: Path) -> bytes:
    Image.fromarray(GOOD).save(path, 'JPEG')
    return path.read_bytes()


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is that large, with next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, 'big')
        return len(data).to_bytes(4, 'big') + kind + data + checksum

    header = width.to_bytes(4, 'big') + height.to_bytes(4, 'big') + bytes([8, 2, 0, 0, 0])
    body = zlib.compress(b'\0' * 1000)
    return (
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', body) + chunk(b'IEND', b'')
    )


def make_bad(folder: Path) -> list[Path]:
    """Write 12 kinds of files that are no usable image; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = jpeg(folder / 'cut_half.jpg')
    (folder / 'cut_half.jpg').write_bytes(whole[: len(whole) // 2])
    (folder / 'cut_tenth.jpg').write_bytes(whole[: len(whole) * 9 // 10])
    (folder / 'header.jpg').write_bytes(whole[:40])
    (folder / 'empty.jpg').write_bytes(b'')
    (folder / 'text.jpg').write_text('hello')
    (folder / 'page.png').write_text('<html><body>404</body></html>')
    (folder / 'zeros.png').write_bytes(b'\0' * 500)
    (folder / 'bomb.png').write_bytes(png_of(40_000, 40_000))
    (folder / 'large.png').write_bytes(png_of(10_000, 9_000))
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(folder / 'float.tif')
    Image.fromarray(np.ones((4, 4), np.int32)).save(folder / 'int32.tif')
    Image.fromarray(GOOD).save(folder / 'png.png')
    data = bytearray((folder / 'png.png').read_bytes())
    data[60] ^= 0xFF
    (folder / 'png.png').write_bytes(data)
    return sorted(folder.iterdir())


def test_each_bad_file_is_refused_by_name(tmp_path: Path) -> None:
    paths = make_bad(tmp_path)
    assert len(paths) == 12
    for path in [*paths, tmp_path / 'absent.jpg']:
        with pytest.raises(UnreadableImage, match=rf'{path.name}.*Repair or remove'):
            read_image(path)


def make_odd(folder: Path) -> dict[Path, np.ndarray]:
    """Write files of unusual kinds; return what each is to be read as."""
    picture = Image.fromarray(GOOD)
    expected: dict[Path, Any] = {}

    def save(name: str, image: Image.Image, wanted: Any, **options: Any) -> None:
        image.save(folder / name, **options)
        expected[folder / name] = np.asarray(wanted)

    gray = picture.convert('L')
    save('gray.png', gray, gray.convert('RGB'))
    save('bits.png', picture.convert('1'), picture.convert('1').convert('RGB'))
    save('palette.png', picture.convert('P'), picture.convert('P').convert('RGB'))
    clear = picture.copy()
    clear.putalpha(0)
    save('alpha.png', clear, picture)
    cmyk = picture.convert('CMYK')
    save('cmyk.tif', cmyk, cmyk.convert('RGB'))
    sixteen = np.linspace(0, 65535, 480).astype(np.uint16).reshape(20, 24)
    high = np.repeat((sixteen >> 8).astype(np.uint8)[..., None], 3, 2)
    save('sixteen.png', Image.fromarray(sixteen), high)
    exif = Image.Exif()
    exif[274] = 6
    save('turned.png', picture, picture.rotate(-90, expand=True), exif=exif)
    wide = np.repeat(sixteen.astype('>u2')[..., None], 3, 2)
    for name, pixels in (('sixteen.pgm', wide[..., :1]), ('sixteen.ppm', wide)):
        kind = b'P5' if name.endswith('pgm') else b'P6'
        (folder / name).write_bytes(kind + b'\n24 20\n65535\n' + pixels.tobytes())
        expected[folder / name] = high
    frames = [picture.convert('P'), gray.convert('P')]
    save('moving.gif', frames[0], frames[0].convert('RGB'), save_all=True, append_images=frames[1:])
    shutil.move(folder / 'moving.gif', folder / 'gif.jpg')
    expected[folder / 'gif.jpg'] = expected.pop(folder / 'moving.gif')
    save('point.png', picture.crop((0, 0, 1, 1)), picture.crop((0, 0, 1, 1)))
    return expected


def test_each_odd_file_has_one_meaning(tmp_path: Path) -> None:
    for path, wanted in make_odd(tmp_path).items():
        found = read_image(path)
        assert found.mode == 'RGB', path.name
        assert np.abs(np.asarray(found).astype(int) - wanted).max() <= 1, path.name


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """52 images in one class, 12 of them bad."""
    folder = tmp_path / 'images' / 'a'
    make_bad(folder)
    for i in range(40):
        Image.fromarray(np.roll(GOOD, i)).save(folder / f'{i:02}.png')
    return tmp_path / 'images'


FAST = ('FastMultiView', 'DeviceMultiView')


def views(kind: str) -> list[Any]:
    return [dict(TWO_VIEWS[0], type=kind), TWO_VIEWS[1]]


@pytest.mark.parametrize('kind', FAST)
def test_pipelines_that_decode_themselves_replace_the_same(images: Path, kind: str) -> None:
    plain = ImageFolder(images, pipeline=views('MultiView'))
    fast = ImageFolder(images, pipeline=views(kind))
    plain.faults, fast.faults = FaultRecord(52), FaultRecord(52)
    for i in range(52):
        key = SampleKey(i, 3, 7)
        taken = [int(dataset[key]['data_samples']['sample_idx']) for dataset in (plain, fast)]
        assert taken[0] == taken[1]
    assert fast.faults.new() == plain.faults.new() == list(range(40, 52))
    fast.faults = None
    for i in range(52):
        if not (path := Path(fast.path(i))).stem.isdigit():
            with pytest.raises(UnreadableImage, match=rf'{path.name}.*Repair or remove'):
                fast[i]


def test_both_ways_of_decoding_judge_a_jpeg_alike(tmp_path: Path) -> None:
    smooth = Image.fromarray(np.kron(GOOD[:8, :12], np.ones((8, 8, 1), np.uint8)))
    smooth.save(tmp_path / 'whole.jpg', quality=90)
    whole, draw = (tmp_path / 'whole.jpg').read_bytes(), np.random.default_rng(1)
    verdicts = []
    for trial in range(40):
        data, start = bytearray(whole), int(draw.integers(20, len(whole) - 40))
        data[start : start + 40] = draw.integers(0, 256, 40, dtype=np.uint8).tobytes()
        (path := tmp_path / f'{trial}.jpg').write_bytes(data)
        found = []
        for size in (64, 96), (32, 48), (8, 12):
            try:
                crop = SourceImage.open(path).crops([(0, 0, 64, 96)], [size])[0]
                found.append(crop.shape[:2] == size)
            except UnreadableImage:
                found.append(False)
        try:
            found.append(read_image(path).size == (96, 64))
        except UnreadableImage:
            found.append(False)
        verdicts.append(found)
    refused = [found for found in verdicts if not found[3]]
    assert 0 < len(refused) < 40
    assert all(all(found[:3]) for found in verdicts if found[3])


def test_large_jpegs_are_capped_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / 'large.jpg'
    smooth = Image.new('L', (16, 16))
    smooth.save(path)
    data = bytearray(path.read_bytes())
    at = data.index(b'\xff\xc0') + 5
    data[at : at + 4] = (9_000).to_bytes(2, 'big') + (10_000).to_bytes(2, 'big')
    path.write_bytes(data)
    with pytest.raises(UnreadableImage, match=r'large.jpg.*10000 x 9000 pixels are more than'):
        SourceImage.open(path)


def test_replacements_depend_on_the_key_alone(images: Path) -> None:
    def samples(order: list[int]) -> dict[int, Any]:
        dataset = ImageFolder(images, pipeline=[lambda results: results])
        dataset.faults = FaultRecord(len(dataset))
        return {i: dataset[SampleKey(i, 3, 7)] for i in order}

    size = len(ImageFolder(images))
    forward, backward = samples(list(range(size))), samples(list(range(size))[::-1])
    bad = [i for i in range(size) if forward[i]['sample_idx'] != i]
    assert len(bad) == 12
    for i in range(size):
        assert forward[i]['sample_idx'] == backward[i]['sample_idx']
        assert forward[i]['rng'].random() == SampleKey(i, 3, 7).generator().random()
    later = ImageFolder(images, pipeline=[lambda results: results])
    later.faults = FaultRecord(size)
    others = [later[SampleKey(i, 3, 8)]['sample_idx'] for i in bad]
    assert others != [forward[i]['sample_idx'] for i in bad]


def config_of(images: Path, work_dir: Path, kind: str = 'MultiView', **hook: Any) -> Any:
    config = runner_config(work_dir, max_epochs=1)
    config.train_dataloader.dataset = dict(
        type='ImageFolder', data_root=str(images), pipeline=views(kind)
    )
    config.train_dataloader.num_workers = 2
    config.default_hooks.data_fault.update(hook)
    return config


@pytest.mark.parametrize('kind', ['MultiView', 'FastMultiView'])
def test_training_goes_on_and_names_each(images: Path, tmp_path: Path, kind: str) -> None:
    train(config_of(images, tmp_path / 'run', kind, max_share=0.25))
    log = next((tmp_path / 'run').glob('*/*.log')).read_text()
    for path in make_bad(tmp_path / 'again'):
        assert log.count(f"/a/{path.name}': ") == 1, path.name
    assert log.count('is replaced by others') == 12


def test_too_many_stop_the_run(images: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'of 52 images cannot be read, more than max_share=5\.00'):
        train(config_of(images, tmp_path / 'run', max_share=0.05))


def test_the_check_lists_them_and_training_without_them_is_clean(
    images: Path, tmp_path: Path
) -> None:
    tool = [sys.executable, str(REPOSITORY / 'tools/dataset/check.py'), str(images), '--out']
    result = subprocess.run([*tool, str(tmp_path / 'out')], text=True, capture_output=True)
    assert result.returncode == 1, result.stderr
    assert '40 images can be read, 12 cannot' in result.stdout
    manifest = (tmp_path / 'out/manifest.csv').read_text().splitlines()
    assert manifest[0] == 'path,bytes,width,height,mode,format,verdict' and len(manifest) == 53
    assert sum(line.endswith(',ok') for line in manifest) == 40
    assert 'a/bomb.png' in (tmp_path / 'out/exclude.txt').read_text()
    dataset = ImageFolder(images, exclude=tmp_path / 'out/exclude.txt')
    assert len(dataset) == 40
    for i in range(40):
        dataset.image(i)


def test_names_that_fit_no_line_are_listed_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / 'images/a'
    folder.mkdir(parents=True)
    Image.fromarray(GOOD).save(folder / 'ok.png')
    names = [b'caf\xe9.jpg', b' lead.jpg', b'new\nline.jpg', b'"quoted".jpg', b'\xe2\x80\xa8.jpg']
    for name in [*names, b'back\\slash n.jpg', 'caf\u00e9.jpg'.encode()]:
        Path(os.fsdecode(os.fsencode(folder) + b'/' + name)).write_bytes(b'bad')
    tool = [sys.executable, str(REPOSITORY / 'tools/dataset/check.py'), str(tmp_path / 'images')]
    result = subprocess.run([*tool, '--out', str(tmp_path / 'out')], capture_output=True)
    assert result.returncode == 1 and b'1 images can be read, 7 cannot' in result.stdout, result
    lines = (tmp_path / 'out/exclude.txt').read_text('utf-8').split('\n')
    assert r'"a/caf\udce9.jpg"' in lines and 'a/caf\u00e9.jpg' in lines and len(lines) == 8
    with open(tmp_path / 'out/manifest.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    assert {from_line(row['path']) for row in rows if row['verdict'] != 'ok'} == {
        from_line(line) for line in lines[:-1]
    }
    dataset = ImageFolder(tmp_path / 'images', exclude=tmp_path / 'out/exclude.txt')
    assert [Path(dataset.path(i)).name for i in range(len(dataset))] == ['ok.png']
    (tmp_path / 'torn').write_text('"a/ok.png')
    with pytest.raises(ValueError, match='is no JSON string'):
        ImageFolder(tmp_path / 'images', exclude=tmp_path / 'torn')
