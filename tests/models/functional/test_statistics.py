"""The numbers logged beside the loss, by loops over anchors."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.statistics import (
    batch_statistics,
    contrastive_accuracy,
    key_statistics,
    mean_finite,
    mean_positive,
    mixing_statistics,
    pushing_of,
)
from mochi_mm.structures import Block, HardNegatives, Mixed, Mixture, Plan

OWN = torch.tensor([[0.5, 0.7], [0.2, 0.4], [0.9, 0.1]])
PUSHING = [
    torch.tensor([[0.1, -math.inf], [0.25, 0.35], [0.4, 0.2]]),
    torch.tensor([[0.3], [0.1], [0.6]]),
]
HARD = HardNegatives(
    torch.eye(4),
    torch.zeros(3, 2, dtype=torch.long),
    torch.tensor([[0.3, 0.1], [0.35, 0.25], [0.6, 0.0]]),
    torch.tensor([2, 2, 1]),
)
PLAN = Plan(torch.zeros(3, 1, dtype=torch.long), torch.zeros(3, 1))


def stated(statistics: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in statistics.items()}


def test_accuracy_is_the_share_of_keys_that_are_nearer() -> None:
    nearer = contrastive_accuracy(torch.tensor([0.3, 0.2, 0.1]), torch.tensor([0.2, 0.2, 0.2]))
    assert float(nearer) == pytest.approx(1 / 3)


def test_the_mean_leaves_out_what_is_masked() -> None:
    assert float(mean_finite(torch.tensor([[0.1, -math.inf], [0.3, 0.2]]))) == pytest.approx(0.2)
    assert math.isnan(float(mean_finite(torch.tensor([-math.inf]))))


def test_keys() -> None:
    """The mean over own keys against the largest of all that pushes: 0.6 > 0.3, 0.3 < 0.35, ..."""
    expected = dict(acc_contrast=1 / 3, sim_positive=(0.6 + 0.3 + 0.5) / 3)
    assert stated(key_statistics(OWN, PUSHING)) == pytest.approx(expected)


def test_mixing() -> None:
    plain = stated(mixing_statistics(OWN, PUSHING, Mixed(HARD)))
    mean_hard = (0.3 + 0.1 + 0.35 + 0.25 + 0.6) / 5  # the last is not usable
    expected = dict(sim_hardest=mean_hard, share_harder=0.0, acc_contrast_synthetic=1 / 3)
    assert plain == pytest.approx(expected)
    mixtures = (
        Mixture('PairMixing', PLAN, torch.tensor([[0.65], [0.1], [-math.inf]])),
        Mixture('QueryMixing', PLAN, torch.tensor([[0.2], [0.5], [-math.inf]])),
    )
    mixed = stated(mixing_statistics(OWN, PUSHING, Mixed(HARD, mixtures)))
    # Harder than the hardest real one: 0.65 > 0.3 and 0.5 > 0.35, of six.
    expected = dict(sim_hardest=mean_hard, share_harder=2 / 6, acc_contrast_synthetic=0.0)
    assert mixed == pytest.approx(expected)


def test_batch() -> None:
    cosine = torch.tensor([[1.0, 0.8, 0.3], [0.8, 1.0, 0.9], [0.3, 0.9, 1.0]])
    itself = torch.eye(3).bool()
    pull = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    block = Block('batch', cosine, pull=pull, itself=itself, dropped=itself)
    counted = torch.tensor([True, True, False])
    # Nearest: 1 to 0, a hit; 2 to 1, a miss; 1 to 2, which has no positive.
    expected = dict(acc_contrast=1 / 3, sim_positive=0.8, share_counted=2 / 3)
    assert stated(batch_statistics(block, counted)) == pytest.approx(expected)
    nothing = Block('batch', cosine, itself=itself)
    expected = dict(acc_contrast=0.0, sim_positive=0.0, share_counted=0.0)
    assert stated(batch_statistics(nothing, torch.zeros(3).bool())) == expected


def test_collapsed_embeddings_are_not_told_apart() -> None:
    """A tie is no hit, whichever candidate stands first."""
    same = torch.ones(3, 2)
    assert stated(key_statistics(same, [same])) == dict(acc_contrast=0, sim_positive=1)
    mixtures = (Mixture('PairMixing', PLAN, torch.ones(3, 1)),)
    mixed = stated(mixing_statistics(same, [same], Mixed(HARD, mixtures)))
    assert mixed['share_harder'] == mixed['acc_contrast_synthetic'] == 0
    above = stated(mixing_statistics(2 * same, [same], Mixed(HARD, mixtures)))
    assert above['acc_contrast_synthetic'] == 1
    itself = torch.eye(3).bool()
    for first, second in ((1, 2), (2, 1)):
        pull = torch.zeros(3, 3)
        pull[0, first] = pull[1, 0] = 1
        tie = torch.eye(3)
        tie[0, first] = tie[0, second] = 0.5
        for cosine in (torch.ones(3, 3), tie):
            block = Block('batch', cosine, pull=pull, itself=itself, dropped=itself)
            found = batch_statistics(block, pull.any(1))
            assert float(found['acc_contrast']) == 0


def test_what_pushes() -> None:
    similarity = torch.tensor([[0.1, 0.2, 0.3]], requires_grad=True)
    dropped, pull = torch.tensor([[True, False, False]]), torch.tensor([[0.0, 0.0, 0.5]])
    pushing = pushing_of(Block('memory', similarity, pull=pull, dropped=dropped))
    assert pushing[0, 0] == pushing[0, 2] == -math.inf and pushing[0, 1] == similarity[0, 1]
    assert not pushing.requires_grad
    assert torch.equal(pushing_of(Block('memory', similarity)), similarity)


def test_the_mean_over_what_attracts() -> None:
    similarity = torch.tensor([[0.1, 0.4, 0.9], [0.2, 0.3, 0.5], [0.2, 0.3, 0.5]])
    pull = torch.tensor([[1.0, 0.5, 0.0], [0, 0, 2], [0, 0, 0]])
    mean = mean_positive(Block('batch', similarity, pull=pull))
    torch.testing.assert_close(mean, torch.tensor([[0.25], [0.5], [0.0]]))
    assert mean_positive(Block('batch', similarity)).tolist() == [[0], [0], [0]]
