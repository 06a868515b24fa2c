"""A network as a function of pixels: the same logits, with gradient, whatever classifies."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mochi_mm.evaluation.robustness import PixelClassifier
from mochi_mm.models.algorithms import ImageClassifier
from mochi_mm.models.heads import LinearHead
from tests.evaluation.robustness.toy import batch, pixels, toy_classifier
from tests.evaluation.toy import ToyBackbone, toy_model


def test_the_probe_behind_the_network() -> None:
    classifier = toy_classifier().eval()
    images = pixels().requires_grad_()
    found = classifier(images)
    data = classifier.model.data_preprocessor(batch(), False)
    expected = classifier.probe.scores(classifier.model.extract_feat(data['inputs']))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    found.sum().backward()
    assert bool((images.grad != 0).any())


def test_the_own_classifier() -> None:
    toy_model()
    model = ImageClassifier(ToyBackbone(), LinearHead(6, 16), freeze_backbone=True).eval()
    found = PixelClassifier(model)(pixels()).softmax(1)
    (record,) = model(**model.data_preprocessor(batch(), False), mode='predict')
    torch.testing.assert_close(found, record['scores'], rtol=1e-4, atol=1e-5)
    with pytest.raises(NotImplementedError, match='ToyAlgorithm predicts nothing'):
        PixelClassifier(toy_model())(pixels())


def test_another_preprocessor_is_refused() -> None:
    model = toy_model()
    model.data_preprocessor = nn.Identity()
    with pytest.raises(ValueError, match='data preprocessor is Identity; expected a View'):
        PixelClassifier(model)
