"""Tars as webdataset writes them: found, read by number, damage named."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mochi_mm.datasets import ImageFolder, PackedImages
from mochi_mm.datasets.packs.check_pack import check_pack
from mochi_mm.datasets.packs.index_tars import index_tars
from mochi_mm.datasets.packs.tar_members import tar_members
from mochi_mm.datasets.packs.tar_samples import tar_samples
from mochi_mm.randomness import SampleKey
from tests.datasets.packs.toy import picture_folder

PIPELINE = [
    dict(
        type='FastMultiView',
        transforms=[[dict(type='RandomResizedCrop', size=24), dict(type='RandomFlip')]],
        num_views=[2],
    ),
    dict(type='PackInputs'),
]
LONG = 'deep/' * 30 + 'x'


def write_tar(path: Path, files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, 'w', format=form) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    source = picture_folder(tmp_path / 'pictures')
    (source / 'b/torn.jpg').unlink()
    return ImageFolder(source, pipeline=PIPELINE)


@pytest.fixture
def tars(folder: ImageFolder, tmp_path: Path) -> Path:
    """Images 0 to 3 in one tar, the others in another, with labels and other files."""
    root = tmp_path / 'tars'
    root.mkdir()
    for number, rows in enumerate([range(4), range(4, 7)]):
        files: dict[str, bytes] = {}
        for row in rows:
            ending = Path(folder.name(row)).suffix
            files[f'{row:04}{ending}'] = Path(folder.path(row)).read_bytes()
            files[f'{row:04}.cls'] = str(folder.labels[row]).encode()
            files[f'{row:04}.json'] = b'{}'
        write_tar(root / f'set-{number}.tar', files)
    return root


def test_images_by_number(folder: ImageFolder, tars: Path, tmp_path: Path) -> None:
    record = index_tars(tars, tmp_path / 'index', ['a', 'b', 'c'], quiet)
    assert [shard.images for shard in record.shards] == [4, 3] and record.bad == 0
    dataset = PackedImages(tmp_path / 'index', shards=tars, pipeline=PIPELINE)
    assert dataset.classes == folder.classes and dataset.labels.tolist() == folder.labels.tolist()
    assert dataset.name(4) == f'set-1.tar/0004{Path(folder.name(4)).suffix}'
    for index in range(7):
        np.testing.assert_array_equal(
            np.asarray(dataset.image(index)), np.asarray(folder.image(index))
        )
        key = SampleKey(index, 2, 3)
        for view, other in zip(dataset[key]['inputs'], folder[key]['inputs'], strict=True):
            np.testing.assert_array_equal(view.numpy(), other.numpy())
    check_pack(tmp_path / 'index', tars, quiet)
    assert PackedImages(tmp_path / 'index', shards=tars, classes=['c']).classes == ('c',)
    plain = index_tars(tars, tmp_path / 'plain', None, quiet)
    assert plain.classes == ('0', '1', '2')
    with pytest.raises(FileNotFoundError, match=r'set-0\.tar is missing'):
        PackedImages(tmp_path / 'index')


def test_damaged_tars_and_images(folder: ImageFolder, tars: Path, tmp_path: Path) -> None:
    index_tars(tars, tmp_path / 'index', None, quiet)
    whole = (tars / 'set-1.tar').read_bytes()
    (tars / 'set-1.tar').write_bytes(whole[:-512])
    with pytest.raises(ValueError, match=r'set-1\.tar has \d+ bytes'):
        PackedImages(tmp_path / 'index', shards=tars)
    (tars / 'set-1.tar').write_bytes(b'x' + whole[1:])
    with pytest.raises(ValueError, match=r'set-1\.tar begins with other bytes'):
        PackedImages(tmp_path / 'index', shards=tars)
    for kept in (700, len(whole) // 2 // 512 * 512):
        (tars / 'set-1.tar').write_bytes(whole[:kept])
        with pytest.raises(ValueError, match=r'set-1\.tar (ends|has no header)'):
            index_tars(tars, tmp_path / 'again', None, quiet)
        assert not list(tmp_path.glob('again*'))
    files = {'a.jpg': b'no image', 'b.jpg': Path(folder.path(0)).read_bytes()}
    write_tar(tars / 'set-1.tar', files)
    record = index_tars(tars, tmp_path / 'again', None, quiet)
    assert record.bad == 1 and record.images == 6
    assert (tmp_path / 'again/exclude.txt').read_text() == 'set-1.tar/a.jpg\n'


@pytest.mark.parametrize('form', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_python(tmp_path: Path, form: int) -> None:
    files = {'a.jpg': b'1' * 511, f'{LONG}.jpg': b'2' * 513, 'empty.cls': b''}
    if form != tarfile.USTAR_FORMAT:
        files['y' * 120 + 'ö.jpg'] = b'3' * 512
    path = write_tar(tmp_path / 'a.tar', files, form)
    with tarfile.open(path) as tar:
        expected = [(m.name, m.offset_data, m.size) for m in tar.getmembers()]
    assert [(m.name, m.offset, m.size) for m in tar_members(path)] == expected


def with_entry(path: Path, **settings: Any) -> Path:
    with tarfile.open(path, 'w') as tar:
        entry = tarfile.TarInfo('a.jpg')
        for key, value in settings.items():
            setattr(entry, key, value)
        tar.addfile(entry)
    return path


def test_what_is_no_plain_tar(tmp_path: Path) -> None:
    link = with_entry(tmp_path / 'link.tar', type=tarfile.SYMTYPE, linkname='/etc/passwd')
    with pytest.raises(ValueError, match='holds a link'):
        list(tar_members(link))
    with tarfile.open(tmp_path / 'a.tar', 'w:gz') as tar:
        tar.addfile(tarfile.TarInfo('a.jpg'))
    with pytest.raises(ValueError, match='no header at 0|without the mark'):
        list(tar_members(tmp_path / 'a.tar'))
    sparse = {'GNU.sparse.major': '1'}
    with pytest.raises(ValueError, match='sparse'):
        list(tar_members(with_entry(tmp_path / 's.tar', pax_headers=sparse)))
    os.mkfifo(tmp_path / 'pipe.tar')
    with pytest.raises(ValueError, match='named pipe'):
        list(tar_members(tmp_path / 'pipe.tar'))
    for text in (b'-1', b'cat', b'1' * 30):
        with pytest.raises(ValueError, match='has the label'):
            tar_samples(write_tar(tmp_path / 'l.tar', {'a.jpg': b'', 'a.cls': text}))
    with pytest.raises(ValueError, match='two images of the sample'):
        tar_samples(write_tar(tmp_path / 'd.tar', {'a.jpg': b'', 'a.png': b''}))
    for classes, files, words in (
        (['a'], {'a.jpg': b'', 'a.cls': b'3'}, 'largest label in the tars is 3'),
        (None, {'a.txt': b''}, 'no images in the tars'),
    ):
        write_tar(tmp_path / 'd.tar', files)
        (tmp_path / 'only').mkdir(exist_ok=True)
        (tmp_path / 'd.tar').replace(tmp_path / 'only/d.tar')
        with pytest.raises(ValueError, match=words):
            index_tars(tmp_path / 'only', tmp_path / f'out{classes}', classes, quiet)
    with pytest.raises(FileNotFoundError, match='no tar in'):
        index_tars(tmp_path / 'pictures', tmp_path / 'out', None, quiet)
