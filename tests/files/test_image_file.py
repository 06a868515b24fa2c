"""Images are opened by formats that are named, and nothing that is no regular file."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, UnidentifiedImageError

from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.read_image import read_image
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.experiments.timed_pipeline import TorchvisionPairs
from mochi_mm.files.image_file import FORMATS, MAX_BYTES, open_image
from tests.faults.limited import within_seconds
from tests.toy_runner import REPOSITORY

REFUSED = (ValueError, UnidentifiedImageError)
POSTSCRIPT = (
    b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n'
    b'(w) (/tmp/x) file closefile showpage\n'
)


def image_size(path: Path) -> Any:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    from mochi_mm.transfer.image_header import image_size as read

    return read(path)


def judge(path: Path) -> Any:
    import runpy

    tool = runpy.run_path(str(REPOSITORY / 'tools/dataset/check.py'))
    verdict = tool['judge'](path.name, str(path.parent), ImageReader(max_pixels=10**6))
    if verdict.verdict != 'ok':
        assert (verdict.width, verdict.format) == (0, '')
        raise ValueError(verdict.verdict)


def timed(path: Path) -> Any:
    class One:
        def path(self, index: int) -> str:
            return str(path)

    return TorchvisionPairs(One(), 8)[0]  # type: ignore[arg-type]


DOORS: dict[str, Callable[[Path], Any]] = {
    'read_image': read_image,
    'SourceImage': SourceImage.open,
    'image_size': image_size,
    'check': judge,
    'timed': timed,
}


@pytest.mark.parametrize('door', DOORS)
def test_postscript_starts_no_program(door: str, tmp_path: Path, monkeypatch: Any) -> None:
    started: list[Any] = []

    def start(*args: Any, **kwargs: Any) -> Image.Image:
        started.append(args)
        return Image.new('RGB', (10, 10))

    monkeypatch.setattr(EpsImagePlugin, 'Ghostscript', start)
    path = tmp_path / 'a.jpg'
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(REFUSED, match=r'a\.jpg'):
        DOORS[door](path)
    assert not started


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize('kind', ['PCX', 'TGA', 'SGI', 'ICO', 'IM', 'MSP', 'XBM', 'EPS'])
def test_formats_that_no_data_set_has(kind: str, door: str, tmp_path: Path) -> None:
    mode = {'MSP': '1', 'XBM': '1'}.get(kind, 'RGB')
    Image.new(mode, (16, 16)).save(tmp_path / 'a.jpg', kind)
    with pytest.raises(REFUSED, match=r'a\.jpg'):
        DOORS[door](tmp_path / 'a.jpg')


@pytest.mark.parametrize('kind', FORMATS)
def test_formats_of_data_sets(kind: str, tmp_path: Path) -> None:
    path, pixels = tmp_path / 'a', np.full((16, 16, 3), 100, np.uint8)
    Image.fromarray(pixels).save(path, kind)
    assert np.abs(np.asarray(read_image(path)).astype(int) - 100).max() <= 4


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


NO_FILES: dict[str, Callable[[Path], None]] = {
    'a named pipe': pipe,
    'a socket': unix_socket,
    'a folder': lambda path: path.mkdir(),
    'a device': lambda path: path.symlink_to('/dev/zero'),
    'a link to a pipe': lambda path: (pipe(path.with_name('p')), path.symlink_to('p'))[1],
    'a link that leads back to itself': lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize('kind', NO_FILES)
def test_what_is_no_file_is_named_at_once(kind: str, door: str, tmp_path: Path) -> None:
    NO_FILES[kind](tmp_path / 'a.jpg')
    words = kind.replace('a link to a pipe', 'a named pipe')
    with within_seconds(20), pytest.raises(ValueError, match=rf'a\.jpg.* is {words}'):
        DOORS[door](tmp_path / 'a.jpg')


@pytest.mark.parametrize('door', DOORS)
def test_a_file_without_end_is_not_read(door: str, tmp_path: Path) -> None:
    with open(tmp_path / 'a.jpg', 'wb') as file:
        file.truncate(2**43)  # holes take no space
    with within_seconds(20), pytest.raises(ValueError, match=rf'a\.jpg.*{MAX_BYTES}'):
        DOORS[door](tmp_path / 'a.jpg')


def test_pillow_is_called_in_one_place() -> None:
    """A fifth place would be without the list of formats."""
    found = {
        path.name
        for folder in ('mochi_mm', 'tools')
        for path in (REPOSITORY / folder).rglob('*.py')
        for call in re.findall(r'(?<!Source)Image\.open\(.*', path.read_text())
        if 'formats=' not in call
    }
    assert not found
    with pytest.raises(FileNotFoundError), open_image('absent.jpg'):
        pass
