"""SupCon in the batch and with a memory: worked values, slow loops, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import ContrastiveHead, SupConHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views
from tests.models.heads.test_nt_xent_head import anchor as out
from tests.models.heads.toy import (
    DIM,
    LENGTH,
    Roles,
    memory,
    mixing,
    pairs,
    pairs_loop,
    value,
    views_loop,
)
from tests.models.heads.worked import FIVE, FIVE_LABELS, LABELS, RAW, TWO_VIEWS, T, random_views
from tests.reference import random_units


# One anchor by its definition: logits with its positives and with the others.
def inside(pos: list[float], neg: list[float]) -> float:
    total = sum(map(math.exp, pos + neg))
    return -math.log(sum(map(math.exp, pos)) / len(pos) / total)


def negatives(pos: list[float], neg: list[float]) -> float:
    return sum(math.log(sum(map(math.exp, neg))) - p for p in pos) / len(pos)


def inside_negatives(pos: list[float], neg: list[float]) -> float:
    return -math.log(sum(map(math.exp, pos)) / len(pos) / sum(map(math.exp, neg)))


def one_positive(pos: list[float], neg: list[float]) -> float:
    push = sum(map(math.exp, neg))
    return sum(-math.log(math.exp(p) / (math.exp(p) + push)) for p in pos) / len(pos)


CASES: dict[str, tuple[dict[str, Any], Callable[..., float]]] = {
    'out': (dict(), out),
    'in': (dict(form='in'), inside),
    'out, negatives': (dict(denominator='negatives'), negatives),
    'in, negatives': (dict(form='in', denominator='negatives'), inside_negatives),
    'one positive': (dict(denominator='one_positive'), one_positive),
}


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        (dict(), 1.514154),
        (dict(form='in'), 1.310338),
        (dict(base_temperature=1.0), 0.757077),
        (dict(base_temperature=0.07), 10.815388),
        (dict(weight=2.0), 2 * 1.514154),
    ],
)
def test_worked_values_of_two_views(settings: dict[str, Any], expected: float) -> None:
    # 10.8 has its seventh digit before the sixth decimal.
    close = pytest.approx(expected, abs=1e-6, rel=4e-7)
    assert value(SupConHead(temperature=0.5, **settings), RAW, LABELS) == close


def test_worked_values_of_single_views() -> None:
    head = SupConHead(temperature=0.5)
    assert value(head, FIVE, FIVE_LABELS) == pytest.approx(0.758344, abs=1e-6)
    head = SupConHead(denominator='one_positive', temperature=0.5)
    assert value(head, FIVE, FIVE_LABELS) == pytest.approx(0.434457, abs=1e-6)


def test_other_codes_loss_is_l_in_less_the_log_of_the_positives() -> None:
    log_positives = (4 * math.log(3) + 2 * math.log(1)) / 6
    inner = value(SupConHead('in', temperature=0.5), TWO_VIEWS, LABELS)
    assert inner - log_positives == pytest.approx(0.577929, abs=1e-6)


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('part', [None, mixing(2), mixing(1, skip=1)], ids=['', 'mixing', 'skip'])
@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3), (5, 1), (8, 1)])
def test_equals_the_loop(name: str, part: Any, size: tuple[int, int]) -> None:
    """Of five single views, one has no other of its class."""
    settings, anchor = CASES[name]
    head = SupConHead(temperature=T, mixing=part, **settings)
    features, labels = random_views(*size), torch.arange(size[0]) % 3
    expected = views_loop(features, labels, anchor, True, T, head.mixing)
    assert value(head, features, labels) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('size', [1, 3, 7])
@pytest.mark.parametrize(
    'extra',
    [
        dict(),
        dict(mask_own_keys=True),
        dict(mixing=mixing(3)),
        dict(mixing=mixing(2, skip=1), mask_own_keys=True, base_temperature=0.07),
    ],
    ids=['plain', 'own keys masked', 'mixing', 'mixing, skip, own keys masked'],
)
def test_with_a_memory_equals_the_loop(name: str, size: int, extra: dict[str, Any]) -> None:
    """The own key and the rows of the class attract; what attracts is never mixed."""
    settings, _ = CASES[name]
    head = SupConHead(memory=memory(), **settings, **extra)
    assert head.temperature == 0.2
    queries, keys, samples = pairs(size)
    labels = head.memory.labels.tolist()

    def roles(image: int, own: list[Tensor]) -> Roles:
        same = {j for j in range(LENGTH) if labels[j] == int(samples['gt_label'][image])}
        return dict.fromkeys(same, 1.0), set(), same

    kind = 'per_positive' if head.denominator == 'one_positive' else head.denominator
    expected = pairs_loop(
        head,
        queries,
        keys,
        samples,
        roles,
        denominator='shared' if kind == 'all' else kind,
        form='inside' if head.form == 'in' else 'outside',
    )
    scale = 0.2 / 0.07 if 'base_temperature' in extra else 1.0
    loss = head.loss_views(queries, keys, samples)['loss_contrast']
    assert float(loss) == pytest.approx(scale * expected, abs=2e-6, rel=1e-6)


def test_with_a_memory_and_no_row_of_the_class_it_is_moco() -> None:
    queries, keys, samples = pairs(5)
    strangers = dict(samples, gt_label=samples['gt_label'] + 100)
    moco = ContrastiveHead(memory()).loss_views(queries, keys, strangers)['loss_contrast']
    for settings in (dict(), dict(form='in'), dict(denominator='one_positive')):
        head = SupConHead(memory=memory(), **settings)
        loss = head.loss_views(queries, keys, strangers)['loss_contrast']
        torch.testing.assert_close(loss, moco)


def test_positives_are_never_mixed() -> None:
    """With everything but one row a positive, mixtures can only hold that row."""
    queue = FeatureQueue(3, DIM)
    queue.enqueue(random_units(3, DIM, 3).float(), torch.tensor([0, 0, 1]), torch.arange(3))
    head = SupConHead(memory=queue, mixing=mixing(3))
    step = head.compute(
        Views(
            {0: random_units(1, DIM, 1).float()},
            {1: random_units(1, DIM, 2).float()},
            dict(gt_label=torch.tensor([0])),
        )
    )
    assert step.mixed is not None and step.mixed.hard.count is not None
    assert step.mixed.hard.count.tolist() == [1] and int(step.mixed.hard.index[0, 0]) == 2


LONELY = torch.tensor([(1.0, 0.0), (0.6, 0.8), (0.8, 0.6), (0.0, 1.0)])[:, None]
LONELY_LABELS = dict(gt_label=torch.tensor([0, 1, 1, 2]))


def test_anchors_without_a_positive_are_left_out_of_the_mean() -> None:
    result = SupConHead(temperature=0.5).loss(LONELY, LONELY_LABELS)
    assert float(result['loss_contrast']) == pytest.approx(0.794304, abs=1e-6)
    assert float(result['share_counted']) == 0.5


def test_anchors_without_a_positive_count_as_zero_on_demand() -> None:
    """As SupCon's authors count."""
    result = SupConHead(temperature=0.5, count_all=True).loss(LONELY, LONELY_LABELS)
    assert float(result['loss_contrast']) == pytest.approx(0.397152, abs=1e-6)
    assert float(result['share_counted']) == 0.5
    assert float(result['chance_level']) == pytest.approx(math.log(3) / 2, abs=1e-6)


@pytest.mark.parametrize('form', ['out', 'in'])
def test_counting_all_divides_by_all(form: str) -> None:
    """Of five images, one has no other of its class."""
    features, labels = random_views(5, 1), torch.arange(5) % 3
    plain = value(SupConHead(form=form), features, labels)
    everyone = value(SupConHead(form=form, count_all=True), features, labels)
    assert everyone == pytest.approx(plain * 4 / 5, rel=1e-6)


def test_one_view_of_different_classes_gives_no_loss_and_no_gradient() -> None:
    features = torch.randn(3, 1, 4, requires_grad=True)
    loss = SupConHead().loss(features, dict(gt_label=torch.arange(3)))['loss_contrast']
    loss.backward()
    assert float(loss.detach()) == 0 and features.grad is not None
    assert features.grad.abs().sum() == 0


@pytest.mark.parametrize('form', ['out', 'in'])
def test_anchors_without_a_negative_count_with_the_loss_zero(form: str) -> None:
    head = SupConHead(form, 'negatives')
    result = head.loss(TWO_VIEWS, dict(gt_label=torch.zeros(3, dtype=torch.int64)))
    assert float(result['loss_contrast']) == 0 and float(result['share_counted']) == 1
    assert float(result['chance_level']) == 0


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(temperature=-1), 'temperature is -1'),
        (dict(weight=math.nan), 'weight is nan'),
        (dict(base_temperature=math.inf), 'base_temperature is inf'),
        (dict(base_temperature=0), 'base_temperature is 0'),
        (dict(form='both'), "form is 'both'"),
        (dict(form='inside'), "form is 'inside'.*expected one of out, in and one of all"),
        (dict(denominator='none'), "denominator is 'none'"),
        (dict(form='in', denominator='one_positive'), "use denominator='all'"),
        (dict(memory=memory(), oracle_loss=True), 'oracle_loss=True drops the rows'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SupConHead(**settings)


def test_bad_batches_leave_the_memory_alone() -> None:
    needs = 'SupConHead needs gt_label.*got none; use images in class folders'
    with pytest.raises(ValueError, match=needs):
        SupConHead().loss(torch.randn(4, 2, 3))
    with pytest.raises(ValueError, match='unknown ones'):
        SupConHead().loss(torch.randn(2, 2, 3), dict(gt_label=torch.tensor([0, -1])))
    queries, keys, _ = pairs(3)
    head = SupConHead(memory=memory())
    before = head.memory.snapshot()
    with pytest.raises(ValueError, match='SupConHead needs gt_label for every sample'):
        head.loss_views(queries, keys, dict(gt_label=torch.tensor([0, -1, 1])))
    assert torch.equal(head.memory.features, before)
