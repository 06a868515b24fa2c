"""The metric: its figure, repeated samples, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.evaluation import CalibrationError
from mochi_mm.evaluation.measures.calibration import calibration_error


def record(start: int, stop: int) -> dict[str, Any]:
    logits = 2 * torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 4
    part = slice(start, stop)
    indices = torch.arange(20)[part]
    return dict(scores=logits.softmax(1)[part], gt_label=labels[part], sample_idx=indices)


def test_equals_the_function_and_counts_a_sample_once() -> None:
    metric = CalibrationError(bins=5)
    metric.process(None, [record(0, 12), record(12, 20)])
    metric.process(None, [record(0, 3)])
    found = metric.evaluate(20)
    whole = record(0, 20)
    confidence, predicted = whole['scores'].max(1)
    expected = calibration_error(confidence, predicted == whole['gt_label'], 5)
    assert found['calibration/error'] == pytest.approx(100 * expected, abs=1e-7)
    assert found['calibration/confidence'] == pytest.approx(100 * float(confidence.mean()))


def test_refusals() -> None:
    with pytest.raises(ValueError, match='bins is 0'):
        CalibrationError(bins=0)
    logits = dict(record(0, 4), scores=torch.arange(16.0).view(4, 4))
    with pytest.raises(ValueError, match='do not add up to 1; CalibrationError expects'):
        CalibrationError().process(None, [logits])
