"""Features on the disk belong to one set of weights and one data set."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mochi_mm.evaluation import feature_file
from mochi_mm.evaluation.feature_file import cached_features
from mochi_mm.evaluation.features import extract_features
from mochi_mm.utils.weights_digest import weights_digest
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


def test_nothing_is_left_of_data_without_labels(tmp_path: Path) -> None:
    loader = toy_loader(ToyImages(9, unlabelled=[4]))
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
