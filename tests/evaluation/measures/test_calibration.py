"""The expected calibration error: the slow loop, edges, refusals."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.evaluation.measures.calibration import calibration_error


@pytest.mark.parametrize('bins', [1, 2, 15, 100])
def test_equals_the_loop(bins: int) -> None:
    generator = torch.Generator().manual_seed(0)
    confidence = torch.rand(57, generator=generator)
    right = torch.rand(57, generator=generator) < 0.6
    total = 0.0
    for number in range(bins):
        inside = [
            i for i, c in enumerate(confidence.double().tolist()) if number < c * bins <= number + 1
        ]
        if inside:
            accuracy = sum(bool(right[i]) for i in inside) / len(inside)
            mean = sum(float(confidence[i]) for i in inside) / len(inside)
            total += len(inside) / 57 * abs(accuracy - mean)
    assert calibration_error(confidence, right, bins) == pytest.approx(total, abs=1e-9)


def test_edges_are_in_a_bin() -> None:
    assert calibration_error(torch.tensor([0.0, 1.0]), torch.tensor([False, True])) == 0.0
    assert calibration_error(torch.tensor([1.0]), torch.tensor([False])) == 1.0


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r'confidences \(0,\)'):
        calibration_error(torch.zeros(0), torch.zeros(0).bool())
    with pytest.raises(ValueError, match='confidences from 0.5 to 3'):
        calibration_error(torch.tensor([0.5, 3.0]), torch.ones(2).bool())
    with pytest.raises(ValueError, match='bins is 0'):
        calibration_error(torch.tensor([0.5]), torch.ones(1).bool(), 0)
