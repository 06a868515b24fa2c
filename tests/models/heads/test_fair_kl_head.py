"""FairKL: worked values, a slow loop, groups without pairs, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.functional.fair_kl import EMPTY_GROUPS, FORMS
from mochi_mm.models.heads import FairKLHead
from tests.reference import random_units

ROWS = torch.tensor([(1, 0), (0.8, 0.6), (0.6, 0.8), (0, 1), (-0.28, 0.96), (0.96, 0.28)])
SAMPLES = dict(
    gt_label=torch.tensor([0, 0, 0, 1, 1, 1]), bias_label=torch.tensor([0, 0, 1, 1, 1, 0])
)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (dict(), 0.928514),
        (dict(spread=0.0), 0.928514 - 0.041974),
        (dict(weight=0.5), 0.928514 / 2),
        (dict(form='moments'), 0.596426),
        (dict(form='gaussian'), 1.711264 + 1.487214),
    ],
)
def test_worked_values(options: dict[str, Any], expected: float) -> None:
    head = FairKLHead(**options)
    features = torch.stack([3 * ROWS, torch.randn(6, 2)], dim=1)  # the first view counts
    assert float(head.loss(features, SAMPLES)['loss_fair_kl']) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ('labels', 'biases'),
    [
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2]),  # no conflicting positive, no aligned negative
        ([0, 0, 1, 1, 2], [0, 0, 1, 1, 1]),  # no conflicting positive
        ([0, 0, 1], [0, 1, 2]),  # no aligned negative
    ],
)
def test_groups_without_pairs_are_zero_on_demand(labels: list[int], biases: list[int]) -> None:
    """As the authors' code takes them: their mean is 0, and the deviation of nothing but zeros."""
    rows = random_units(len(labels), 4, 1)
    head = FairKLHead(empty_group='zero', spread=0.7)
    samples = dict(gt_label=torch.tensor(labels), bias_label=torch.tensor(biases))
    expected = loop(rows, labels, biases, 'released')
    loss = head.loss(rows[:, None].float(), samples)['loss_fair_kl']
    assert float(loss) == pytest.approx(expected, abs=1e-5)
    left_out = FairKLHead(spread=0.7).loss(rows[:, None].float(), samples)['loss_fair_kl']
    assert float(left_out) < expected - 1e-3


def test_no_empty_group_makes_no_difference() -> None:
    features = ROWS[:, None]
    values = [
        FairKLHead(empty_group=empty).loss(features, SAMPLES)['loss_fair_kl']
        for empty in EMPTY_GROUPS
    ]
    assert torch.equal(*values)


@pytest.mark.parametrize('form', FORMS)
def test_equal_cosines_have_a_finite_gradient(form: str) -> None:
    features = torch.ones(6, 1, 2, requires_grad=True)
    FairKLHead(form=form).loss(features, SAMPLES)['loss_fair_kl'].backward()
    assert features.grad is not None and features.grad.isfinite().all()


@pytest.mark.parametrize('form', FORMS)
def test_a_single_image_is_refused(form: str) -> None:
    one = {name: labels[:1] for name, labels in SAMPLES.items()}
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2.*batch_size'):
        FairKLHead(form=form).loss(torch.ones(1, 2, 2), one)


def test_missing_labels_and_wrong_settings_are_refused() -> None:
    features = torch.randn(6, 1, 2)
    labels = dict(gt_label=SAMPLES['gt_label'])
    with pytest.raises(ValueError, match=r"FairKLHead needs bias_label.*extra_keys=\['bias_label"):
        FairKLHead().loss(features, labels)
    with pytest.raises(ValueError, match='FairKLHead needs gt_label'):
        FairKLHead().loss(features)
    for options, message in (
        (dict(weight=0.0), 'weight is 0.0; expected a number above 0'),
        (dict(weight=math.inf), 'weight is inf'),
        (dict(spread=-1.0), 'spread is -1.0; expected a number of 0 or more'),
        (dict(spread=math.nan), 'spread is nan'),
        (dict(empty_group='mean'), "empty_group is 'mean'; expected one of left_out, zero"),
        (dict(empty_group='zero', form='moments'), "form is 'moments'.*use form='released'"),
        (dict(form='kl'), "form is 'kl'; expected one of released, moments, gaussian"),
    ):
        with pytest.raises(ValueError, match=message):
            FairKLHead(**options)
