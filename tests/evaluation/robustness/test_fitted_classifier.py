"""What is attacked: the head that classifies, else a probe of the bank's features."""

from __future__ import annotations

import torch

from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.linear_classifier import fit_linear
from mochi_mm.evaluation.robustness.fitted_classifier import fitted_classifier
from mochi_mm.models.algorithms import ImageClassifier
from mochi_mm.models.heads import LinearHead
from tests.evaluation.toy import ToyBackbone, ToyImages, toy_loader, toy_model


def test_a_probe_or_the_own_classifier() -> None:
    model = toy_model(5)
    bank = extract_features(model, toy_loader(ToyImages(30, noise=200)))
    classifier, l2 = fitted_classifier(model, lambda: bank, [0.01])
    assert l2 == 0.01 and classifier.probe is not None
    assert torch.equal(classifier.probe.weight, fit_linear(*bank, 0.01).weight)
    own = ImageClassifier(ToyBackbone(), LinearHead(6, 16))
    classifier, l2 = fitted_classifier(own, lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert l2 is None and classifier.probe is None
    probe, l2 = fitted_classifier(own, lambda: bank, [0.01], own=False)
    assert l2 == 0.01 and probe.probe is not None
