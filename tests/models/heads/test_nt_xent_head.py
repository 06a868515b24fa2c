"""SimCLR's objective: worked values, slow loops with and without mixing, what it refuses."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.heads import NTXentHead
from mochi_mm.structures import Views
from tests.models.heads.toy import mixing, value, views_loop
from tests.models.heads.worked import FIRST, RAW, SECOND, TWO_VIEWS, T, random_views
from tests.ranks import run_ranks
from tests.reference import dot, unit


def anchor(pos: list[float], neg: list[float]) -> float:
    """One anchor by its definition: logits with its positives and with the others."""
    total = sum(map(math.exp, pos + neg))
    return sum(math.log(total) - p for p in pos) / len(pos)


def test_worked_values() -> None:
    assert value(NTXentHead(0.5), RAW) == pytest.approx(0.881265, abs=1e-6)
    # Other code adds the means of the two views.
    assert value(NTXentHead(0.5, weight=2.0), RAW) == pytest.approx(1.762531, abs=2e-6)


def test_worked_values_of_each_anchor() -> None:
    head = NTXentHead(0.5)
    step = head.compute(Views(dict(enumerate(TWO_VIEWS.unbind(1)))))
    assert step.anchors is not None
    losses = head.objective(step.anchors, step.blocks)
    expected = [0.340290, 0.918734, 1.577304, 0.842075, 0.951639, 0.657551]  # view by view
    assert losses.reshape(3, 2).T.flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3)])
def test_equals_the_loop(size: tuple[int, int]) -> None:
    features = random_views(*size)
    expected = views_loop(features, torch.arange(size[0]) % 3, anchor, False, T)
    assert value(NTXentHead(T), features) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('size', [(4, 2), (7, 2), (5, 3)])
@pytest.mark.parametrize('skip', [0, 2])
def test_synthetic_negatives_equal_the_loop(size: tuple[int, int], skip: int) -> None:
    """Mixed from the hardest of the batch, never from the anchor itself or its image."""
    features = random_views(*size)
    head = NTXentHead(T, mixing=mixing(4, skip=skip))
    expected = views_loop(features, torch.zeros(size[0]), anchor, False, T, head.mixing)
    assert value(head, features) == pytest.approx(expected, abs=1e-5)
    assert expected > value(NTXentHead(T), features) + 0.1


def test_gradient_with_mixing_is_that_of_constant_synthetic_negatives() -> None:
    """Autograd over the loss with the synthetic vectors held, in float64."""
    features = random_views(4, 2)
    leaf = features.clone().requires_grad_()
    head = NTXentHead(T, mixing=mixing(4))
    head.loss(leaf)['loss_contrast'].backward()

    plain = features.double().requires_grad_()
    rows = plain.flatten(0, 1) / plain.flatten(0, 1).norm(dim=1, keepdim=True)
    cosine = rows @ rows.T
    losses = []
    for i in range(8):
        others = [j for j in range(8) if j // 2 != i // 2]
        hard = sorted(others, key=lambda j: -cosine[i, j].item())[:4]
        fixed = rows.detach()
        vectors = []
        for s in range(5):
            w = (s + 1) / 7
            mixed = w * fixed[hard[s % 4]] + (1 - w) * fixed[hard[(2 * s + 1) % 4]]
            vectors.append(mixed / mixed.norm())
        for s in range(3):
            w = (s + 1) / 9
            mixed = w * fixed[i] + (1 - w) * fixed[hard[s % 4]]
            vectors.append(mixed / mixed.norm())
        push = [cosine[i, j] for j in [*others, i ^ 1]] + [rows[i] @ v for v in vectors]
        losses.append(torch.logsumexp(torch.stack(push) / T, 0) - cosine[i, i ^ 1] / T)
    torch.stack(losses).mean().backward()
    assert leaf.grad is not None and plain.grad is not None
    torch.testing.assert_close(leaf.grad, plain.grad.float(), rtol=1e-4, atol=1e-6)


def test_mixing_waits_for_its_epoch_and_is_reported() -> None:
    features = random_views(4, 2)
    head, plain = NTXentHead(T, mixing=mixing(4, start_epoch=1)), NTXentHead(T)
    before, without = head.loss(features), plain.loss(features)
    assert torch.equal(before['loss_contrast'], without['loss_contrast'])
    assert torch.equal(before['chance_level'], without['chance_level'])
    head.mixing.set_epoch(1, 2)
    after = head.loss(features)
    assert float(after['chance_level']) == pytest.approx(math.log(7 + 8))
    assert float(after['acc_contrast']) == float(without['acc_contrast'])
    assert 0 < float(after['share_harder']) < 1
    assert set(after) - set(without) == {'share_harder', 'sim_hardest', 'acc_contrast_synthetic'}


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


def one_image_each(rank: int) -> float:
    """A rank with one image still has the others' to push from."""
    return float(
        NTXentHead().loss(torch.eye(4)[rank : rank + 1, None].repeat(1, 2, 1))['acc_contrast']
    )


def test_a_single_image_a_rank_is_enough() -> None:
    assert run_ranks(one_image_each, 2) == [1.0, 1.0]


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(temperature=0.0), 'temperature is 0.0'),
        (dict(temperature=math.inf), 'temperature is inf'),
        (dict(temperature=math.nan), 'temperature is nan'),
        (dict(temperature=True), 'temperature is True'),
        (dict(weight=0.0), 'weight is 0.0; expected a number above 0'),
    ],
)
def test_bad_settings(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NTXentHead(**settings)


def test_bad_batches() -> None:
    with pytest.raises(ValueError, match='at least 2 views'):
        NTXentHead().loss(torch.randn(4, 1, 3))
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        NTXentHead().loss(torch.randn(1, 2, 3))
    with pytest.raises(ValueError, match='and 1 of an averaged encoder'):
        NTXentHead().loss_views({0: torch.ones(2, 3), 1: torch.ones(2, 3)}, {0: torch.ones(2, 3)})
    with pytest.raises(ValueError, match='num_hard is 9 and skip is 0 but there are 8 candidates'):
        NTXentHead(mixing=mixing(9)).loss(random_views(4, 2))
