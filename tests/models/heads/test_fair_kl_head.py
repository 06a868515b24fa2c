"""FairKL's head: worked values, groups without pairs, ranks, what it refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.functional.fair_kl import EMPTY_GROUPS, FORMS
from mochi_mm.models.heads import FairKLHead
from mochi_mm.structures import Views
from tests.models.functional.test_fair_kl import ROWS, SAMPLES, fair_kl_loop
from tests.ranks import run_ranks
from tests.reference import random_units


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
    expected = fair_kl_loop(rows, labels, biases, 'released')
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


@pytest.mark.parametrize('wrong', [math.nan, math.inf])
@pytest.mark.parametrize('form', FORMS)
def test_what_is_not_finite_is_not_hidden(form: str, wrong: float) -> None:
    features = ROWS[:, None].clone()
    features[1, 0, 1] = wrong
    assert math.isnan(float(FairKLHead(form=form).loss(features, SAMPLES)['loss_fair_kl']))


def test_a_batch_is_checked_before_it_is_moved() -> None:
    head = FairKLHead()
    head.check_samples(SAMPLES)
    with pytest.raises(ValueError, match=r'FairKLHead needs bias_label.*unknown ones \(-1\)'):
        head.check_samples(dict(SAMPLES, bias_label=-SAMPLES['bias_label']))


def step(form: str, features: torch.Tensor, samples: dict[str, torch.Tensor]) -> Any:
    leaf = features.clone().requires_grad_()
    loss = FairKLHead(form=form, weight=2.0).loss_views({3: leaf}, None, samples)['loss_fair_kl']
    loss.backward()
    return loss.detach(), leaf.grad


def several(size: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    numbers = torch.arange(size)
    labels = dict(
        gt_label=torch.tensor([0, 1, 1, 0, 2, 3, 1, 0])[:size], bias_label=numbers // 2 % 2
    )
    return 2 * random_units(size, 5, 0).float(), labels


def on_a_rank(rank: int) -> dict[str, Any]:
    results = {}
    for form in FORMS:
        for split in ([4, 4], [5, 2]):
            features, samples = several(sum(split))
            mine = {name: value.split(split)[rank] for name, value in samples.items()}
            loss, gradient = step(form, features.split(split)[rank], mine)
            dist.all_reduce(loss)
            results[f'{form} {split}'] = [loss / 2, gradient / 2]
    return results


def test_two_ranks_equal_one_process() -> None:
    results = run_ranks(on_a_rank, 2)
    for form in FORMS:
        for split in ([4, 4], [5, 2]):
            loss, gradient = step(form, *several(sum(split)))
            key = f'{form} {split}'
            torch.testing.assert_close(results[0][key][0], loss, rtol=1e-5, atol=1e-6)
            joined = torch.cat([result[key][1] for result in results])
            torch.testing.assert_close(joined, gradient, rtol=1e-4, atol=1e-6)


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


def test_compute_is_the_loss_of_the_first_view() -> None:
    head = FairKLHead(label_key='cluster')
    views = Views({v: torch.randn(6, 4) for v in range(2)}, {}, {})
    samples = dict(cluster=torch.arange(6) % 2, bias_label=torch.arange(6) // 3)
    step = head.compute(replace(views, samples=samples))
    assert step.writes == () and step.statistics == {}
    expected = head.loss(views.online[0][:, None], samples)['loss_fair_kl']
    assert torch.equal(step.losses['loss_fair_kl'], expected)
