"""Epsilon-SupInfoNCE: worked values, slow loops, the floor, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import SupInfoNCEHead
from tests.models.heads.toy import mixing, value, views_loop
from tests.models.heads.worked import FIVE, FIVE_LABELS, LABELS, RAW, T, random_views


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        (dict(margin=0.0), 0.434457),
        (dict(margin=0.0, form='in'), 0.016449),
        (dict(margin=0.25), 0.275287),
        (dict(margin=0.125, margin_in='cosine'), 0.275287),
        (dict(margin=0.25, form='in'), -0.143013),
        (dict(margin=0.25, form='sup_con'), 0.580566),
        (dict(margin=0.0, form='sup_con'), 0.758344),
    ],
)
def test_worked_values_of_single_views(settings: dict[str, Any], expected: float) -> None:
    head = SupInfoNCEHead(temperature=0.5, **settings)
    assert value(head, FIVE, FIVE_LABELS) == pytest.approx(expected, abs=1e-6)


def test_other_codes_add_the_means_of_the_two_views() -> None:
    head = SupInfoNCEHead(0.0, form='sup_con', temperature=0.5, weight=2.0)
    assert value(head, RAW, LABELS) == pytest.approx(2 * 1.514154, abs=2e-6)


FAR = torch.tensor([(1.0, 0.0), (-0.6, 0.8), (-0.8, -0.6), (0.0, -1.0)])[:, None]
FAR_LABELS = torch.tensor([0, 0, 1, 1])


def test_no_floor_under_the_logarithm() -> None:
    head = SupInfoNCEHead(0.25, temperature=0.07)
    assert value(head, FAR, FAR_LABELS) == pytest.approx(4.160915, abs=1e-6)


@pytest.mark.parametrize(
    ('rows', 'labels', 'temperature', 'form', 'expected'),
    [
        (FIVE, FIVE_LABELS, 0.5, 'out', 0.275288),
        (FIVE, FIVE_LABELS, 0.5, 'sup_con', 0.580567),
        (FAR, FAR_LABELS, 0.07, 'out', 4.638878),
    ],
)
def test_the_floor_of_the_authors_code(
    rows: Tensor, labels: Tensor, temperature: float, form: str, expected: float
) -> None:
    head = SupInfoNCEHead(0.25, form=form, temperature=temperature, floor=1e-6)
    assert value(head, rows, labels) == pytest.approx(expected, abs=1e-6)


# One anchor by its definition: logits with its positives and with the others.
def eps_out(pos: list[float], neg: list[float]) -> float:
    push = sum(map(math.exp, neg))
    return sum(-math.log(math.exp(p) / (math.exp(p - 0.3) + push)) for p in pos) / len(pos)


def eps_in(pos: list[float], neg: list[float]) -> float:
    mean = sum(math.exp(p - 0.3) for p in pos) / len(pos)
    return -math.log(sum(map(math.exp, pos)) / (mean + sum(map(math.exp, neg))))


def eps_sup_con(pos: list[float], neg: list[float]) -> float:
    push = sum(math.exp(p - 0.3) for p in pos) + sum(map(math.exp, neg))
    return sum(math.log(push) - p for p in pos) / len(pos)


def floored(form: str, pos: list[float], neg: list[float]) -> float:
    """A floor of 0.02, which the exponentials meet after a shift by 1 / t."""
    pos, neg = ([x - 1 / T for x in part] for part in (pos, neg))
    push = sum(map(math.exp, neg)) + 0.02
    pull = [math.exp(p - 0.3) for p in pos]
    if form == 'in':
        return math.log(sum(pull) / len(pos) + push) - math.log(sum(map(math.exp, pos)))
    each = [sum(pull)] * len(pos) if form == 'sup_con' else pull
    return sum(math.log(e + push) - p for e, p in zip(each, pos, strict=True)) / len(pos)


CASES: dict[str, tuple[dict[str, Any], Callable[..., float]]] = {
    'out': (dict(margin=0.3), eps_out),
    'out, cosine': (dict(margin=0.3 * T, margin_in='cosine'), eps_out),
    'in': (dict(margin=0.3, form='in'), eps_in),
    'sup_con': (dict(margin=0.3, form='sup_con'), eps_sup_con),
    'out, floor': (dict(margin=0.3, floor=0.02), partial(floored, 'out')),
    'in, floor': (dict(margin=0.3, form='in', floor=0.02), partial(floored, 'in')),
    'sup_con, floor': (dict(margin=0.3, form='sup_con', floor=0.02), partial(floored, 'sup_con')),
}


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('part', [None, mixing(2), mixing(1, skip=1)], ids=['', 'mixing', 'skip'])
@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3), (5, 1), (8, 1)])
def test_equals_the_loop(name: str, part: Any, size: tuple[int, int]) -> None:
    """Of five single views, one has no other of its class."""
    settings, anchor = CASES[name]
    head = SupInfoNCEHead(temperature=T, mixing=part, **settings)
    features, labels = random_views(*size), torch.arange(size[0]) % 3
    expected = views_loop(features, labels, anchor, True, T, head.mixing)
    assert value(head, features, labels) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('form', ['out', 'in', 'sup_con'])
def test_counting_all_divides_by_all(form: str) -> None:
    """Of five images, one has no other of its class."""
    features, labels = random_views(5, 1), torch.arange(5) % 3
    plain = value(SupInfoNCEHead(form=form), features, labels)
    everyone = value(SupInfoNCEHead(form=form, count_all=True), features, labels)
    assert everyone == pytest.approx(plain * 4 / 5, rel=1e-5)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(margin=math.nan), 'margin is nan; expected a number of 0 or more'),
        (dict(margin='a'), "margin is 'a'"),
        (dict(margin=-0.1), 'margin is -0.1'),
        (dict(floor=-1e-6), 'floor is -1e-06; expected a number of 0 or more'),
        (dict(floor=True), 'floor is True'),
        (dict(weight=math.inf), 'weight is inf'),
        (dict(margin_in='degrees'), "margin_in is 'degrees'; expected one of logit, cosine"),
        (dict(form='inside'), "form is 'inside'; expected one of out, in, sup_con"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SupInfoNCEHead(**settings)


def test_labels_are_needed() -> None:
    with pytest.raises(ValueError, match='SupInfoNCEHead needs gt_label'):
        SupInfoNCEHead().loss(torch.randn(2, 2, 3), {})
