"""In-batch objectives: worked values, slow loops, what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.decoupled_weight import decoupled_weight
from mochi_mm.models.heads import DecoupledHead, InBatchHead, NTXentHead, SupConHead, SupInfoNCEHead
from tests.reference import dot, unit

# Two views of three images, and five single views: the inputs of the worked values.
FIRST = [(1.0, 0.0), (0.0, 1.0), (-0.6, 0.8)]
SECOND = [(0.8, 0.6), (-0.28, 0.96), (-1.0, 0.0)]
TWO_VIEWS = torch.tensor([FIRST, SECOND]).transpose(0, 1)
LABELS = torch.tensor([0, 0, 1])
FIVE = torch.tensor([(1.0, 0.0), (0.8, 0.6), (0.96, 0.28), (0.0, 1.0), (-0.6, 0.8)])[:, None]
FIVE_LABELS = torch.tensor([0, 0, 0, 1, 1])


def value(head: InBatchHead, features: Tensor, labels: Tensor | None = None) -> float:
    samples = None if labels is None else dict(gt_label=labels)
    return float(head.loss(features, samples)['loss_contrast'])


@pytest.mark.parametrize(
    ('head', 'expected'),
    [
        (SupConHead(temperature=0.5), 1.514154),
        (SupConHead('in', temperature=0.5), 1.310338),
        (SupConHead(temperature=0.5, base_temperature=1.0), 0.757077),
        (SupConHead(temperature=0.5, base_temperature=0.07), 10.815388),
        (NTXentHead(0.5), 0.881265),
        (DecoupledHead(0.1), -1.852744),
        (DecoupledHead(0.1, sigma=0.5), -1.436300),
        (DecoupledHead(0.1, sigma=0.5, detach_weight=False), -1.436300),
    ],
)
def test_worked_values_of_two_views(head: InBatchHead, expected: float) -> None:
    # Un-normalised inputs: the head normalises.
    scales = torch.tensor([[0.5, 2.0], [3.0, 1.0], [1.0, 7.0]])[..., None]
    # 10.8 has its seventh digit before the sixth decimal.
    close = pytest.approx(expected, abs=1e-6, rel=2e-7)
    assert value(head, TWO_VIEWS * scales, LABELS) == close


def test_worked_values_of_each_anchor() -> None:
    head = NTXentHead(0.5)
    pairs = head.pairs(TWO_VIEWS)
    logits = (pairs.cosine / 0.5).masked_fill(pairs.itself, -math.inf)
    losses = head.objective(pairs, logits, head.positives(pairs, {}))
    expected = [0.340290, 0.918734, 1.577304, 0.842075, 0.951639, 0.657551]  # view by view
    assert losses.reshape(3, 2).T.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_worked_weights_of_dclw() -> None:
    weights = decoupled_weight(torch.tensor([0.8, 0.96, 0.6]), 0.5)
    assert weights.tolist() == pytest.approx([1.015570, 0.644314, 1.340117], abs=1e-6)


def test_other_codes_add_the_means_of_the_two_views() -> None:
    for head, expected in (
        (NTXentHead(0.5, weight=2.0), 1.762531),
        (DecoupledHead(0.1, weight=2.0), -3.705488),
        (DecoupledHead(0.1, 0.5, weight=2.0), -2.872600),
        (SupConHead(temperature=0.5, weight=2.0), 2 * 1.514154),
        (SupInfoNCEHead(0.0, form='sup_con', temperature=0.5, weight=2.0), 2 * 1.514154),
    ):
        assert value(head, TWO_VIEWS, LABELS) == pytest.approx(expected, abs=2e-6)


def test_two_logarithms_are_another_loss_than_dcl() -> None:
    """What docs/numerics.md says lightly computed until 2025."""
    losses = []
    for own, other in ((FIRST, SECOND), (SECOND, FIRST)):
        for i in range(3):
            parts = [
                sum(math.exp(cosine(own[i], rows[j]) / 0.1) for j in range(3) if j != i)
                for rows in (own, other)
            ]
            losses.append(sum(map(math.log, parts)) - cosine(own[i], other[i]) / 0.1)
    assert sum(losses) / 6 == pytest.approx(1.160878, abs=1e-6)


def cosine(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1]


def test_other_codes_supcon_is_l_in_less_the_log_of_the_positives() -> None:
    log_positives = (4 * math.log(3) + 2 * math.log(1)) / 6
    inside = value(SupConHead('in', temperature=0.5), TWO_VIEWS, LABELS)
    assert inside - log_positives == pytest.approx(0.577929, abs=1e-6)


def test_anchors_without_a_positive_are_left_out_of_the_mean() -> None:
    result = SupConHead(temperature=0.5).loss(LONELY, LONELY_LABELS)
    assert float(result['loss_contrast']) == pytest.approx(0.794304, abs=1e-6)
    assert float(result['share_counted']) == 0.5


def test_anchors_without_a_positive_count_as_zero_on_demand() -> None:
    """As SupCon's authors count."""
    result = SupConHead(temperature=0.5, count_all=True).loss(LONELY, LONELY_LABELS)
    assert float(result['loss_contrast']) == pytest.approx(0.397152, abs=1e-6)
    assert float(result['share_counted']) == 0.5


LONELY = torch.tensor([(1.0, 0.0), (0.6, 0.8), (0.8, 0.6), (0.0, 1.0)])[:, None]
LONELY_LABELS = dict(gt_label=torch.tensor([0, 1, 1, 2]))


def test_one_view_of_different_classes_gives_no_loss_and_no_gradient() -> None:
    features = torch.randn(3, 1, 4, requires_grad=True)
    loss = SupConHead().loss(features, dict(gt_label=torch.arange(3)))['loss_contrast']
    loss.backward()
    assert float(loss.detach()) == 0 and features.grad is not None
    assert features.grad.abs().sum() == 0


@pytest.mark.parametrize('form', ['out', 'in'])
def test_anchors_without_a_negative_count_with_the_loss_zero(form: str) -> None:
    head = SupConHead(form, 'negatives')
    result = head.loss(TWO_VIEWS, dict(gt_label=torch.zeros(3)))
    assert float(result['loss_contrast']) == 0 and float(result['share_counted']) == 1


@pytest.mark.parametrize(
    ('head', 'expected'),
    [
        (SupConHead(temperature=0.5), 0.758344),
        (SupInfoNCEHead(0.0, temperature=0.5), 0.434457),
        (SupInfoNCEHead(0.0, form='in', temperature=0.5), 0.016449),
        (SupInfoNCEHead(0.25, temperature=0.5), 0.275287),
        (SupInfoNCEHead(0.125, margin_in='cosine', temperature=0.5), 0.275287),
        (SupInfoNCEHead(0.25, form='in', temperature=0.5), -0.143013),
        (SupInfoNCEHead(0.25, form='sup_con', temperature=0.5), 0.580566),
        (SupInfoNCEHead(0.0, form='sup_con', temperature=0.5), 0.758344),
        (SupConHead(denominator='one_positive', temperature=0.5), 0.434457),
    ],
)
def test_worked_values_of_single_views(head: InBatchHead, expected: float) -> None:
    assert value(head, FIVE, FIVE_LABELS) == pytest.approx(expected, abs=1e-6)


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


def test_decoupled_loss_of_an_aligned_orthonormal_batch() -> None:
    features = torch.eye(3)[:, None].expand(3, 2, 3)
    assert value(DecoupledHead(0.1), features) == pytest.approx(math.log(4) - 10, abs=1e-6)


# One anchor by its definition: cosines over temperature with the others, positives among them.
def nt_xent(pos: list[float], neg: list[float]) -> float:
    total = sum(map(math.exp, pos + neg))
    return sum(math.log(total) - p for p in pos) / len(pos)


def sup_con_in(pos: list[float], neg: list[float]) -> float:
    total = sum(map(math.exp, pos + neg))
    return -math.log(sum(map(math.exp, pos)) / len(pos) / total)


def decoupled(pos: list[float], neg: list[float]) -> float:
    return sum(math.log(sum(map(math.exp, neg))) - p for p in pos) / len(pos)


def sup_con_in_decoupled(pos: list[float], neg: list[float]) -> float:
    return -math.log(sum(map(math.exp, pos)) / len(pos) / sum(map(math.exp, neg)))


def one_positive(pos: list[float], neg: list[float]) -> float:
    push = sum(map(math.exp, neg))
    return sum(-math.log(math.exp(p) / (math.exp(p) + push)) for p in pos) / len(pos)


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


T = 0.3
CASES: list[tuple[InBatchHead, Callable[..., float], bool]] = [
    (NTXentHead(T), nt_xent, False),
    (DecoupledHead(T), decoupled, False),
    (SupConHead(temperature=T), nt_xent, True),
    (SupConHead('in', temperature=T), sup_con_in, True),
    (SupConHead(denominator='negatives', temperature=T), decoupled, True),
    (SupConHead('in', 'negatives', temperature=T), sup_con_in_decoupled, True),
    (SupConHead(denominator='one_positive', temperature=T), one_positive, True),
    (SupInfoNCEHead(0.3, temperature=T), eps_out, True),
    (SupInfoNCEHead(0.3 * T, 'cosine', temperature=T), eps_out, True),
    (SupInfoNCEHead(0.3, form='in', temperature=T), eps_in, True),
    (SupInfoNCEHead(0.3, form='sup_con', temperature=T), eps_sup_con, True),
    (SupInfoNCEHead(0.3, temperature=T, floor=0.02), partial(floored, 'out'), True),
    (SupInfoNCEHead(0.3, form='in', temperature=T, floor=0.02), partial(floored, 'in'), True),
    (
        SupInfoNCEHead(0.3, form='sup_con', temperature=T, floor=0.02),
        partial(floored, 'sup_con'),
        True,
    ),
]


def loop(
    features: Tensor,
    labels: Tensor,
    anchor: Callable[..., float],
    supervised: bool,
    temperature: float = T,
) -> float:
    images, views, _ = features.shape
    rows = {(b, v): unit(features[b, v].double()) for b in range(images) for v in range(views)}
    losses = []
    for b, v in rows:
        logits = {k: dot(rows[b, v], rows[k]) / temperature for k in rows if k != (b, v)}
        same = {k: (labels[k[0]] == labels[b]) if supervised else k[0] == b for k in logits}
        positives = [c for k, c in logits.items() if same[k]]
        negatives = [c for k, c in logits.items() if not same[k]]
        if positives:
            losses.append(anchor(positives, negatives))
    return sum(losses) / len(losses)


@pytest.mark.parametrize(('head', 'anchor', 'supervised'), CASES, ids=lambda v: str(v)[:22])
@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3)])
def test_equals_the_loop(
    head: InBatchHead, anchor: Callable[..., float], supervised: bool, size: tuple[int, int]
) -> None:
    features = torch.randn(*size, 6, generator=torch.Generator().manual_seed(size[0]))
    labels = torch.arange(size[0]) % 3
    expected = loop(features, labels, anchor, supervised)
    assert value(head, features, labels) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(('head', 'anchor', 'supervised'), CASES, ids=lambda v: str(v)[:22])
@pytest.mark.parametrize('size', [5, 8])
def test_equals_the_loop_with_one_view(
    head: InBatchHead, anchor: Callable[..., float], supervised: bool, size: int
) -> None:
    """Of five images, one has no other of its class."""
    features = torch.randn(size, 1, 6, generator=torch.Generator().manual_seed(size))
    labels = torch.arange(size) % 3
    if not supervised:
        with pytest.raises(ValueError, match='at least 2 views'):
            value(head, features)
        return
    expected = loop(features, labels, anchor, True)
    assert value(head, features, labels) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('kind', [SupConHead, SupInfoNCEHead])
@pytest.mark.parametrize('form', ['out', 'in'])
def test_counting_all_divides_by_all(kind: Any, form: str) -> None:
    """Of five images, one has no other of its class."""
    features = torch.randn(5, 1, 6, generator=torch.Generator().manual_seed(5))
    labels = torch.arange(5) % 3
    plain = value(kind(form=form), features, labels)
    everyone = value(kind(form=form, count_all=True), features, labels)
    assert everyone == pytest.approx(plain * 4 / 5, rel=1e-6)


def dclw_weights(features: Tensor) -> list[float]:
    rows = [[unit(view) for view in image] for image in features]
    pull = [math.exp(dot(*image) / 0.5) for image in rows]
    return [2 - p / (sum(pull) / len(pull)) for p in pull]


def dclw_loop(features: Tensor, weights: list[float]) -> float:
    plain = loop(features, torch.zeros(len(features)), decoupled, False)
    attract = [dot(*(unit(view) for view in image)) / T for image in features]
    extra = sum((w - 1) * a for w, a in zip(weights, attract, strict=True))
    return plain - extra / len(features)


@pytest.mark.parametrize('size', [2, 5, 7])
def test_dclw_equals_the_loop(size: int) -> None:
    features = torch.randn(size, 2, 6, generator=torch.Generator().manual_seed(size))
    expected = dclw_loop(features.double(), dclw_weights(features.double()))
    assert value(DecoupledHead(T, 0.5), features) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('detach', [True, False])
def test_gradient_of_dclw_is_that_of_the_loop(detach: bool) -> None:
    """Finite differences, with the weights held or not."""
    features = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(1))
    leaf = features.clone().requires_grad_()
    DecoupledHead(T, 0.5, detach).loss(leaf)['loss_contrast'].backward()
    assert leaf.grad is not None
    held, step = dclw_weights(features.double()), 1e-5
    for place in range(features.numel()):
        values = []
        for sign in (1, -1):
            moved = features.double()
            moved.view(-1)[place] += sign * step
            values.append(dclw_loop(moved, held if detach else dclw_weights(moved)))
        slope = (values[0] - values[1]) / (2 * step)
        assert float(leaf.grad.view(-1)[place]) == pytest.approx(slope, abs=1e-4, rel=1e-4)


def test_statistics() -> None:
    result = NTXentHead(0.5).loss(TWO_VIEWS)
    assert float(result['chance_level']) == pytest.approx(math.log(5))
    positive = (0.8 + 0.96 + 0.6) / 3
    assert float(result['sim_positive']) == pytest.approx(positive, abs=1e-6)
    # Nearest: a's views each other; the others' nearest are of other images but for one.
    assert float(result['acc_contrast']) == pytest.approx(_hits(), abs=1e-6)
    assert float(result['share_counted']) == 1


def _hits() -> float:
    rows = [unit(torch.tensor(r).double()) for r in FIRST + SECOND]
    hits = 0
    for i in range(6):
        others = [j for j in range(6) if j != i]
        hits += max(others, key=lambda j: dot(rows[i], rows[j])) == (i + 3) % 6
    return hits / 6


def test_half_precision_is_left() -> None:
    features = torch.randn(6, 2, 8, generator=torch.Generator().manual_seed(0))
    plain = value(NTXentHead(0.05), features.bfloat16().float())
    with torch.autocast('cpu', torch.bfloat16):
        assert value(NTXentHead(0.05), features.bfloat16()) == plain


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: NTXentHead(0.0), 'temperature is 0.0'),
        (lambda: SupConHead(temperature=-1), 'temperature is -1'),
        (lambda: NTXentHead(math.inf), 'temperature is inf'),
        (lambda: NTXentHead(math.nan), 'temperature is nan'),
        (lambda: NTXentHead(True), 'temperature is True'),
        (lambda: SupConHead(base_temperature=math.inf), 'base_temperature is inf'),
        (lambda: DecoupledHead(sigma=math.nan), 'sigma is nan'),
        (lambda: SupInfoNCEHead(math.nan), 'margin is nan; expected a number of 0 or more'),
        (lambda: SupInfoNCEHead('a'), "margin is 'a'"),
        (lambda: SupInfoNCEHead(floor=-1e-6), 'floor is -1e-06; expected a number of 0 or more'),
        (lambda: SupInfoNCEHead(floor=True), 'floor is True'),
        (lambda: NTXentHead(weight=0.0), 'weight is 0.0; expected a number above 0'),
        (lambda: DecoupledHead(weight=-1.0), 'weight is -1.0'),
        (lambda: SupConHead(weight=math.nan), 'weight is nan'),
        (lambda: SupInfoNCEHead(weight=math.inf), 'weight is inf'),
        (lambda: SupConHead('both'), "form is 'both'"),
        (lambda: SupConHead(denominator='none'), "denominator is 'none'"),
        (lambda: SupConHead('in', 'one_positive'), "use denominator='all'"),
        (lambda: SupConHead(base_temperature=0), 'base_temperature is 0'),
        (lambda: DecoupledHead(sigma=0), 'sigma is 0'),
        (lambda: SupInfoNCEHead(-0.1), 'margin is -0.1'),
        (
            lambda: SupInfoNCEHead(margin_in='degrees'),
            "margin_in is 'degrees'; expected one of logit, cosine",
        ),
        (
            lambda: SupInfoNCEHead(form='inside'),
            "form is 'inside'; expected one of out, in, sup_con",
        ),
    ],
)
def test_settings_are_checked_when_built(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ('head', 'features', 'samples', 'message'),
    [
        (NTXentHead(), torch.randn(4, 1, 3), None, 'at least 2 views'),
        (NTXentHead(), torch.randn(1, 2, 3), None, 'at least 2'),
        (
            SupConHead(),
            torch.randn(4, 2, 3),
            None,
            'SupConHead needs gt_label.*got none; use images in class folders',
        ),
        (SupConHead(), torch.randn(2, 2, 3), dict(gt_label=torch.tensor([0, -1])), 'unknown ones'),
        (SupInfoNCEHead(), torch.randn(2, 2, 3), {}, 'SupInfoNCEHead needs gt_label'),
        (DecoupledHead(sigma=0.5), torch.randn(2, 3, 3), None, 'got 3 views'),
    ],
)
def test_batches_are_checked(
    head: InBatchHead, features: Tensor, samples: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        head.loss(features, samples)
