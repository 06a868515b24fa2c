"""Features are computed once, of the loaders of the config."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mochi_mm.evaluation.features import extract_features
from mochi_mm.experiments.measures import Subject
from tests.evaluation.toy import ToyImages, loader_config, toy_loader
from tests.experiments.measures.toy import toy_subject


def test_features_are_those_of_the_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = toy_subject(tmp_path)
    features, labels = subject.features('query_dataloader')
    images = toy_loader(ToyImages(12, seed=1, noise=200))
    expected = extract_features(subject.model, images)
    assert torch.equal(features, expected[0]) and torch.equal(labels, expected[1])
    monkeypatch.setattr(Subject, 'extract', lambda self, loader: pytest.fail('again'))
    assert subject.features('query_dataloader')[0] is features
    assert subject.loader('query_dataloader') is subject.loader('query_dataloader')


def test_what_is_missing(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path, query_dataloader=loader_config(size=12, unlabeled=[3]))
    with pytest.raises(ValueError, match='a sample without a label'):
        subject.features('query_dataloader')
    with pytest.raises(KeyError, match='no unbiased_dataloader to measure with'):
        subject.features('unbiased_dataloader')
