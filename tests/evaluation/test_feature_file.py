"""Features on the disk belong to one set of weights, one network and one set of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict

from mochi_mm.datasets import ImageFolder, InMemory
from mochi_mm.evaluation import feature_file
from mochi_mm.evaluation.feature_file import cached_features, check_origin, describe_data
from mochi_mm.evaluation.features import extract_features
from mochi_mm.files.weights_digest import weights_digest
from tests.datasets.test_image_folder import fill
from tests.evaluation.toy import ToyImages, toy_loader, toy_model


def test_written_once_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, loader = tmp_path / 'a' / 'train.safetensors', toy_loader(ToyImages(9))
    first = cached_features(path, toy_model(0), loader, 'c')
    wanted = extract_features(toy_model(0), loader)
    monkeypatch.setattr(feature_file, 'extract_features', None)
    again = cached_features(path, toy_model(0), loader, 'c')
    for a, b, c in zip(first, wanted, again, strict=True):
        assert torch.equal(a, b) and torch.equal(a, c) and a.dtype == c.dtype


def test_of_another_checkpoint_or_other_data(tmp_path: Path) -> None:
    path = tmp_path / 'train.safetensors'
    cached_features(path, toy_model(0), toy_loader(ToyImages(9)), 'c')
    before = path.read_bytes()
    with pytest.raises(ValueError, match='another checkpoint.*Delete the file'):
        cached_features(path, toy_model(1), toy_loader(ToyImages(9)), 'c')
    for loader, config in ((ToyImages(10), 'c'), (ToyImages(9), 'd')):
        with pytest.raises(ValueError, match='of other data'):
            cached_features(path, toy_model(0), toy_loader(loader), config)
    assert path.read_bytes() == before
    path.write_bytes(before[:100])
    with pytest.raises(ValueError, match='no whole file of features; delete it'):
        cached_features(path, toy_model(0), toy_loader(ToyImages(9)), 'c')


def network(mean: float = 120.0, **backbone: int) -> ConfigDict:
    return ConfigDict(
        type='ImageClassifier',
        backbone=dict(type='ResNet', **backbone),
        data_preprocessor=dict(type='ViewDataPreprocessor', mean=(mean,)),
        head=dict(type='LinearHead', num_classes=len(backbone) + 3),
    )


def test_of_another_network_with_the_same_weights(tmp_path: Path) -> None:
    path, loader, model = tmp_path / 'train.safetensors', toy_loader(ToyImages(9)), toy_model()
    cached_features(path, model, loader, 'c', network())
    other_head = network()
    other_head.head.num_classes, other_head.freeze_backbone = 7, True
    cached_features(path, model, loader, 'c', other_head)  # the features are the same
    for other in (network(mean=121.0), network(stride=1), None):
        with pytest.raises(ValueError, match='of another network or preprocessor.*Delete the file'):
            cached_features(path, model, loader, 'c', other)


IMAGES = ('a/1.png', 'a/2.png', 'b/1.png', 'b/2.png')


def _rewritten(root: Path) -> None:
    os.utime(root / IMAGES[2], ns=(1, 1))


def _resized(root: Path) -> None:
    path = root / IMAGES[2]
    before = path.stat()
    path.write_bytes(path.read_bytes() + b'.')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _renamed(root: Path) -> None:
    (root / IMAGES[2]).rename(root / 'b/11.png')


@pytest.mark.parametrize('change', [_rewritten, _resized, _renamed])
def test_of_files_that_have_changed_since(tmp_path: Path, change: Any) -> None:
    root, kept = fill(tmp_path / 'images', *IMAGES), tmp_path / 'kept.safetensors'
    first = describe_data(ImageFolder(root))
    assert describe_data(ImageFolder(root)) == first
    change(root)
    changed = describe_data(ImageFolder(root))
    assert changed != first
    with pytest.raises(ValueError, match='of other data'):
        check_origin(kept, dict(data=first), dict(data=changed))


def test_pixels_that_were_decoded_before(tmp_path: Path) -> None:
    root = fill(tmp_path, *IMAGES)
    first = describe_data(InMemory(ImageFolder(root)))
    _rewritten(root)  # the pixels are the same
    assert describe_data(InMemory(ImageFolder(root))) == first
    (root / 'a/1.png').write_bytes((root / 'b/1.png').read_bytes())
    assert describe_data(InMemory(ImageFolder(root))) != first


def test_nothing_is_left_of_data_without_labels(tmp_path: Path) -> None:
    loader = toy_loader(ToyImages(9, unlabeled=[4]))
    with pytest.raises(ValueError, match='without a label'):
        cached_features(tmp_path / 'x.safetensors', toy_model(0), loader)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_sees_every_bit_but_counters() -> None:
    model = toy_model(0).backbone
    before = weights_digest(model)
    assert before == weights_digest(toy_model(0).backbone) != weights_digest(toy_model(1).backbone)
    model.bn.num_batches_tracked += 1
    assert weights_digest(model) == before
    model.bn.running_var[3] = torch.nextafter(model.bn.running_var[3], torch.tensor(9.0))
    assert weights_digest(model) != before
