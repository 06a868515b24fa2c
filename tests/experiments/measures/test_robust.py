"""Robustness as a measure of a sweep: the figures of the tool's protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.evaluation.robustness import RobustnessSettings, measure_robustness
from mochi_mm.evaluation.robustness.fitted_classifier import fitted_classifier
from mochi_mm.experiments.measures import Robust
from tests.experiments.measures.toy import toy_subject


def test_the_figures(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    found = Robust(num_images=100, epsilons=(4 / 255,), steps=2, corruptions=('noise',))(subject)
    classifier, _ = fitted_classifier(subject.model, lambda: subject.features('bank_dataloader'))
    settings = RobustnessSettings((4 / 255,), 2, corruptions=('noise',))
    expected = measure_robustness(classifier, subject.loader('query_dataloader'), settings)
    assert found == {f'robustness/{name}': pytest.approx(v) for name, v in expected.items()}
    fewer = Robust(num_images=6, epsilons=(4 / 255,), steps=1, corruptions=())(subject)
    assert fewer['robustness/clean'] * 6 % 100 == pytest.approx(0, abs=1e-6)
