"""Data sets that are the same images, by a glance."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.datasets.same_images import same_images
from mochi_mm.datasets.torchvision_dataset import TorchVisionDataset
from mochi_mm.evaluation.knn_evaluate import check_knn_data


def folder(root: Path, count: int = 3, classes: tuple[str, ...] = ('cat', 'dog')) -> Path:
    for name in classes:
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((8, 8, 3), 20 * number, dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f'{number}.png')
    return root


def test_folders(tmp_path: Path) -> None:
    first, other = folder(tmp_path / 'a'), folder(tmp_path / 'b')
    (tmp_path / 'link').symlink_to(first)
    here = ImageFolder(first)
    assert same_images(here, ImageFolder(first)) and same_images(
        here, ImageFolder(tmp_path / 'link')
    )
    assert not same_images(here, ImageFolder(other))
    (tmp_path / 'one.txt').write_text('dog/1.png\n')
    assert not same_images(here, ImageFolder(first, exclude=tmp_path / 'one.txt'))


def test_data_sets_by_name() -> None:
    def named(name: str, split: str) -> Any:
        made = TorchVisionDataset.__new__(TorchVisionDataset)
        made.name, made.split, made.labels = name, split, np.zeros(4, dtype=np.int64)
        return made

    assert same_images(named('CIFAR10', 'test'), named('CIFAR10', 'test'))
    assert not same_images(named('CIFAR10', 'test'), named('CIFAR10', 'train'))
    assert not same_images(named('CIFAR10', 'test'), SimpleNamespace())


@pytest.mark.parametrize('split', ['train', 'val'])
def test_knn_of_images_among_themselves(tmp_path: Path, split: str) -> None:
    """As when one forgets to change ``split`` of the queries: each was its own neighbor, 100 %."""
    for name in ('train', 'val'):
        folder(tmp_path / name)
    bank, queries = (
        SimpleNamespace(dataset=ImageFolder(tmp_path, split=name)) for name in ('train', split)
    )
    if split == 'val':
        assert check_knn_data(bank, queries, 1) is None
    else:
        with pytest.raises(ValueError, match='each query would find itself'):
            check_knn_data(bank, queries, 1)


def test_knn_of_one_class(tmp_path: Path) -> None:
    """As when ``data_root`` is the folder above."""
    bank, queries = (
        SimpleNamespace(dataset=ImageFolder(folder(tmp_path / name, classes=('images',))))
        for name in ('train', 'val')
    )
    with pytest.raises(ValueError, match='all 3 samples of the bank are of one class'):
        check_knn_data(bank, queries, 1)
