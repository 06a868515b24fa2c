"""Known and new: scores, the cut, the prior, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mochi_mm.models.functional.open_world import (
    known_score,
    novelty_cut,
    open_world_prior,
    prior_divergence,
)

LOGITS = torch.randn(9, 5, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize('known', [1, 3])
def test_score_is_standardized_over_all_prototypes(known: int) -> None:
    rows = LOGITS.double().numpy()
    standard = (rows - rows.mean(1, keepdims=True)) / rows.std(1, ddof=1, keepdims=True)
    np.testing.assert_allclose(known_score(LOGITS, known), standard[:, :known].max(1), rtol=1e-5)
    assert known_score(torch.ones(2, 5), known).tolist() == [0, 0]


@pytest.mark.parametrize('quantile', [0.1, 0.3, 0.75])
@pytest.mark.parametrize('count', [1, 2, 6])
def test_cut_is_the_quantile_of_the_labeled(quantile: float, count: int) -> None:
    scores, labeled = LOGITS[:, 0], torch.arange(9) % 9 < count
    expected = np.quantile(scores[labeled].numpy(), quantile)
    assert float(novelty_cut(scores, labeled, quantile)) == pytest.approx(float(expected), abs=1e-6)
    assert novelty_cut(scores, labeled & False, quantile).isnan()


def test_divergence_of_the_mean_from_the_prior() -> None:
    probabilities, counted = LOGITS.softmax(1), torch.arange(9) > 3
    prior = open_world_prior(5, 2, 0.25)
    assert prior.tolist() == pytest.approx([0.75 / 4.5] * 2 + [1 / 4.5] * 3)
    mean = probabilities[counted].double().mean(0)
    expected = float((mean * (mean / prior).log()).sum())
    assert float(prior_divergence(probabilities, counted, prior)) == pytest.approx(
        expected, abs=1e-6
    )
    assert float(prior_divergence(prior[None], torch.tensor([True]), prior)) == pytest.approx(
        0, abs=1e-6
    )
    assert float(prior_divergence(probabilities, counted & False, prior)) == 0
