"""Explanations as a measure of a sweep: always of the probe, on so many images."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.evaluation.explanations import measure_explanations
from mochi_mm.evaluation.robustness.fitted_classifier import fitted_classifier
from mochi_mm.experiments.measures import Explained
from tests.experiments.measures.toy import toy_subject


def test_the_figures(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    found = Explained('conv', num_images=100, share=0.4)(subject)
    classifier, l2 = fitted_classifier(
        subject.model, lambda: subject.features('bank_dataloader'), own=False
    )
    assert l2 is not None
    expected = measure_explanations(classifier, subject.loader('query_dataloader'), 'conv', 0.4)
    assert found == {f'explained/{name}': pytest.approx(v) for name, v in expected.items()}
    assert Explained('conv', num_images=6)(subject)['explained/clean'] * 6 % 100 == pytest.approx(
        0, abs=1e-6
    )
    with pytest.raises(ValueError, match="layer is 'conv7'"):
        Explained('conv7')(subject)
