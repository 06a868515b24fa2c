"""The tool makes the class folders that the configs read, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mochi_mm.datasets.cifar_archive import CifarArchive
from mochi_mm.datasets.image_folder import ImageFolder
from tests.datasets.test_cifar_archive import CLASSES, changed, contents, write_tar
from tests.forked import run_tool

TOOL = 'dataset/cifar_folders.py'


def test_folders_as_the_configs_read_them(tmp_path: Path) -> None:
    path = write_tar(tmp_path / 'a.tar.gz', 'cifar-10-batches-py', contents('cifar-10-batches-py'))
    out = tmp_path / 'data/cifar10'
    done = run_tool(TOOL, path, out)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'{out}: 15 in train/, 3 in val/, 3 classes each\n'
    images = ImageFolder(data_root=str(out), split='train')
    assert list(images.classes) == CLASSES and images.labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    for (name, pixels), number in zip(CifarArchive(path).images('train'), range(15), strict=True):
        assert np.array_equal(Image.open(out / f'train/{name}/{number:05d}.png'), pixels)
    refused = run_tool(TOOL, path, out)
    assert refused.returncode == 2 and 'is not empty; expected a new folder' in refused.stderr


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    path = write_tar(tmp_path / 'a.tar.gz', 'cifar-10-batches-py', changed(test_batch=b'x'))
    done = run_tool(TOOL, path, tmp_path / 'out')
    assert done.returncode == 2 and 'test_batch is no pickled dict' in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ['a.tar.gz']
