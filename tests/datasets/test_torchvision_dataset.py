"""TorchVisionDataset over tiny files written in torchvision's layouts."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets as tv

from mochi_mm.datasets import TorchVisionDataset

CLASSES = ['a', 'b', 'c']


def cifar(root: Path, monkeypatch, source: type, label_key: str) -> dict[str, np.ndarray]:
    """Write a small CIFAR; returns the pixels by split, (N, 32, 32, 3)."""
    rng, folder, pixels = np.random.default_rng(0), root / source.base_folder, {}
    folder.mkdir(parents=True)
    for split, names in (('train', ['t1', 't2']), ('test', ['v'])):
        parts = []
        for name in names:
            rows = rng.integers(0, 256, (3, 3072), dtype=np.uint8)
            parts.append(rows.reshape(3, 3, 32, 32).transpose(0, 2, 3, 1))
            (folder / name).write_bytes(pickle.dumps({'data': rows, label_key: [2, 0, 1]}))
        pixels[split] = np.concatenate(parts)
        monkeypatch.setattr(source, f'{split}_list', [[name, None] for name in names])
    (folder / 'meta').write_bytes(pickle.dumps({'names': CLASSES}))
    monkeypatch.setattr(source, 'meta', dict(filename='meta', key='names', md5=None))
    return pixels


@pytest.mark.parametrize(
    ('name', 'label_key'), [('CIFAR10', 'labels'), ('CIFAR100', 'fine_labels')]
)
@pytest.mark.parametrize('split', ['train', 'test'])
def test_cifar(tmp_path, monkeypatch, name, label_key, split) -> None:
    pixels = cifar(tmp_path, monkeypatch, getattr(tv, name), label_key)[split]
    dataset = TorchVisionDataset(name, tmp_path, split, pipeline=[dict(type='PackInputs')])
    assert len(dataset) == len(pixels) == (6 if split == 'train' else 3)
    assert dataset.classes == tuple(CLASSES)
    assert dataset.labels.dtype == np.int64
    assert dataset.labels.tolist() == [2, 0, 1] * (len(pixels) // 3)
    for i in range(len(dataset)):
        assert dataset.image(i).mode == 'RGB'
        assert np.array_equal(np.asarray(dataset.image(i)), pixels[i])
    sample = dataset[1]
    assert sample['data_samples'] == dict(gt_label=0, sample_idx=1)
    assert np.array_equal(sample['inputs'][0].numpy(), pixels[1].transpose(2, 0, 1))


def test_stl10(tmp_path, monkeypatch) -> None:
    folder = tmp_path / tv.STL10.base_folder
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, count in (('train', 4), ('test', 2), ('unlabeled', 3)):
        (folder / f'{name}_X.bin').write_bytes(rng.bytes(count * 3 * 96 * 96))
        if name != 'unlabeled':
            (folder / f'{name}_y.bin').write_bytes(bytes([1, 3, 2, 3][:count]))
    (folder / 'class_names.txt').write_text('a\nb\nc\n')
    monkeypatch.setattr(
        tv.STL10,
        'train_list',
        [[name, None] for name in ('train_X.bin', 'train_y.bin', 'unlabeled_X.bin')],
    )
    monkeypatch.setattr(tv.STL10, 'test_list', [['test_X.bin', None], ['test_y.bin', None]])
    expected = {
        'train': [0, 2, 1, 2],
        'test': [0, 2],
        'unlabeled': [-1] * 3,
        'train+unlabeled': [0, 2, 1, 2, -1, -1, -1],
    }
    for split, labels in expected.items():
        dataset = TorchVisionDataset('STL10', tmp_path, split)
        assert dataset.labels.tolist() == labels
        assert dataset.classes == tuple(CLASSES)
    first = TorchVisionDataset('STL10', tmp_path, 'test').fingerprint()
    assert first == TorchVisionDataset('STL10', tmp_path, 'test').fingerprint()
    (folder / 'test_X.bin').write_bytes(rng.bytes(2 * 3 * 96 * 96))
    assert first != TorchVisionDataset('STL10', tmp_path, 'test').fingerprint()
    raw = np.fromfile(folder / 'unlabeled_X.bin', np.uint8).reshape(3, 3, 96, 96)
    assert np.array_equal(np.asarray(dataset.image(5)), raw[1].transpose(2, 1, 0))


def test_fashion_mnist_is_given_as_rgb(tmp_path) -> None:
    raw = tmp_path / 'FashionMNIST' / 'raw'
    raw.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    for kind in ('train', 't10k'):
        head = b''.join(n.to_bytes(4, 'big') for n in (2051, 2, 28, 28))
        (raw / f'{kind}-images-idx3-ubyte').write_bytes(head + pixels.tobytes())
        head = b''.join(n.to_bytes(4, 'big') for n in (2049, 2))
        (raw / f'{kind}-labels-idx1-ubyte').write_bytes(head + bytes([9, 0]))
    dataset = TorchVisionDataset('FashionMNIST', tmp_path, 'test')
    assert dataset.labels.tolist() == [9, 0]
    assert len(dataset.classes) == 10
    assert np.array_equal(np.asarray(dataset.image(1)), np.repeat(pixels[1][..., None], 3, axis=2))
    assert dataset.fingerprint() == TorchVisionDataset('FashionMNIST', tmp_path).fingerprint()


@pytest.mark.parametrize('name', ['CIFAR10', 'CIFAR100', 'STL10', 'FashionMNIST'])
def test_missing_files_are_not_fetched(tmp_path, name) -> None:
    with pytest.raises(FileNotFoundError, match=f'{name}.*download=True'):
        TorchVisionDataset(name, tmp_path / 'nowhere')


def test_download_only_on_request(tmp_path, monkeypatch) -> None:
    asked = []

    def fetch(self: object) -> None:
        asked.append(True)
        cifar(tmp_path, monkeypatch, tv.CIFAR10, 'labels')

    monkeypatch.setattr(tv.CIFAR10, 'download', fetch)
    with pytest.raises(FileNotFoundError):
        TorchVisionDataset('CIFAR10', tmp_path)
    assert asked == []
    assert len(TorchVisionDataset('CIFAR10', tmp_path, download=True)) == 6
    assert asked == [True]


@pytest.mark.parametrize(
    ('name', 'split', 'match'),
    [
        ('ImageNet', 'train', 'name must be one of CIFAR10'),
        ('CIFAR10', 'val', 'train, test'),
        ('FashionMNIST', 'unlabeled', 'train, test'),
        ('STL10', 'all', 'train\\+unlabeled'),
    ],
)
def test_bad_arguments(tmp_path, name, split, match) -> None:
    with pytest.raises(ValueError, match=match):
        TorchVisionDataset(name, tmp_path, split)
