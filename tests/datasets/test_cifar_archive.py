"""CIFAR's archives are read as their authors wrote them, without running what they may hold."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mochi_mm.datasets.cifar_archive import LAYOUTS, CifarArchive

CLASSES = ['airplane', 'aquarium_fish', 'truck']


def contents(folder: str, per_file: int = 3) -> dict[str, Any]:
    """The dicts of an archive by name; pixel (row, column, channel) of an image tells all three."""
    layout, rng = LAYOUTS[folder], np.random.default_rng(0)
    found: dict[str, Any] = {layout.meta: {layout.names: CLASSES}}
    for names in layout.splits.values():
        for name in names:
            data = rng.integers(0, 256, (per_file, 3072), dtype=np.uint8)
            found[name] = {'data': data, layout.labels: [2, 0, 1][:per_file]}
    return found


def write_tar(path: Path, folder: str, files: dict[str, Any]) -> Path:
    with tarfile.open(path, 'w:gz') as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else pickle.dumps(content, 2)
            member = tarfile.TarInfo(f'{folder}/{name}')
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize('folder', LAYOUTS)
@pytest.mark.parametrize('unpacked', [False, True])
def test_images_and_classes(folder: str, unpacked: bool, tmp_path: Path) -> None:
    files = contents(folder)
    path = write_tar(tmp_path / 'a.tar.gz', folder, {'readme.html': b'<p>', **files})
    if unpacked:
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / name).write_bytes(pickle.dumps(content, 2))
        path = tmp_path / folder
    archive = CifarArchive(path)
    assert archive.classes == CLASSES
    train = list(archive.images('train'))
    assert len(train) == 3 * len(LAYOUTS[folder].splits['train'])
    name, pixels = train[1]
    data = files[LAYOUTS[folder].splits['train'][0]]['data'][1]
    assert name == 'airplane' and pixels.shape == (32, 32, 3)
    for row, column, channel in [(0, 0, 0), (0, 31, 1), (7, 2, 2), (31, 31, 2)]:
        assert pixels[row, column, channel] == data[channel * 1024 + row * 32 + column]
    assert [name for name, _ in archive.images('val')] == ['truck', 'airplane', 'aquarium_fish']


def changed(**parts: Any) -> dict[str, Any]:
    files = contents('cifar-10-batches-py')
    for name, content in parts.items():
        files['batches.meta' if name == 'meta' else name] = content
    return {name: content for name, content in files.items() if content is not None}


@pytest.mark.parametrize(
    ('files', 'error', 'said'),
    [
        (changed(data_batch_3=None), FileNotFoundError, 'data_batch_3 is missing'),
        (changed(meta=None), FileNotFoundError, 'batches.meta is missing'),
        (changed(meta={'label_names': ['../up', 'b']}), ValueError, 'become folders'),
        (changed(meta={'label_names': ['a', 'a']}), ValueError, 'become folders'),
        (changed(data_batch_2={'labels': [0]}), ValueError, 'data_batch_2 holds no images of 32'),
        (
            changed(test_batch={'data': np.zeros((1, 3072), np.uint8), 'labels': [3]}),
            ValueError,
            'test_batch holds no images .* 0 to 2',
        ),
        (changed(data_batch_1=b'cos\nsystem\n.'), ValueError, "data_batch_1 asks for 'os.system'"),
        ({}, ValueError, 'holds 0 of cifar-10-batches-py, cifar-100-python'),
    ],
)
def test_bad_archives(
    files: dict[str, Any], error: type[Exception], said: str, tmp_path: Path
) -> None:
    path = write_tar(tmp_path / 'a.tar.gz', 'cifar-10-batches-py', files)
    with pytest.raises(error, match=said):
        archive = CifarArchive(path)
        list(archive.images('train')), list(archive.images('val'))


def test_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r'no .*none; expected cifar-10-python.tar.gz'):
        CifarArchive(tmp_path / 'none')
    (tmp_path / 'x.tar.gz').write_bytes(b'<html>')
    with pytest.raises(ValueError, match='cannot be read as a tar archive'):
        CifarArchive(tmp_path / 'x.tar.gz')
    path = write_tar(tmp_path / 'a.tar.gz', 'cifar-100-python', contents('cifar-100-python'))
    cut = path.read_bytes()
    path.write_bytes(cut[: len(cut) // 2])
    with pytest.raises(ValueError, match='cannot be read as a tar archive'):
        CifarArchive(path)
    monkeypatch.setattr('mochi_mm.datasets.cifar_archive._LARGEST', 5000)
    path.write_bytes(cut)
    with pytest.raises(ValueError, match='would unpack to more than 5000 bytes'):
        CifarArchive(path)
