"""UniCon: worked values, slow loops, what it is in special cases, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import SupConHead, UniConHead
from mochi_mm.structures import Views
from tests.models.heads.toy import value
from tests.models.heads.worked import T, random_views
from tests.reference import dot, unit

# Images of the classes 0 and 1, each with two views and the two universum views made of them.
Z = [[(1.0, 0.0), (0.8, 0.6)], [(0.0, 1.0), (0.6, 0.8)]]
U = [[(0.6, 0.8), (0.96, 0.28)], [(0.8, 0.6), (0.28, 0.96)]]
WORKED = torch.cat([torch.tensor(Z), torch.tensor(U)], dim=1)
TWO = torch.arange(2)


def head(source: str = 'universum', temperature: float = T, **kwargs: Any) -> UniConHead:
    return UniConHead(source, temperature, **kwargs)


@pytest.mark.parametrize(
    ('source', 'settings', 'expected'),
    [
        ('universum', dict(), 0.858749),
        # The authors' code at its base temperature of 0.1.
        ('universum', dict(weight=5.0), 4.293747),
        ('real+universum', dict(), 1.885142),
    ],
)
def test_worked_values(source: str, settings: dict[str, Any], expected: float) -> None:
    lengths = torch.tensor([[0.5, 2.0, 3.0, 1.0], [1.0, 7.0, 0.1, 2.0]])[..., None]
    found = value(head(source, 0.5, **settings), WORKED * lengths, TWO)
    assert found == pytest.approx(expected, abs=1e-6, rel=1e-6)


def test_worked_values_of_each_anchor() -> None:
    step = head(temperature=0.5).compute(
        Views(dict(enumerate(WORKED.unbind(1))), samples=dict(gt_label=TWO))
    )
    assert step.anchors is not None
    losses = head(temperature=0.5).objective(step.anchors, step.blocks)
    # Image by image: (1, 0), (.8, .6) and (0, 1), (.6, .8).
    expected = [0.684515, 1.032984, 0.684515, 1.032984]
    assert losses.tolist() == pytest.approx(expected, abs=1e-6)


def loop(source: str, features: Tensor, labels: Tensor) -> tuple[float, float]:
    """The mean loss and accuracy of the anchors with a positive, by the definition."""
    half = features.shape[1] // 2
    order = [(b, v) for b in range(len(features)) for v in range(half)]
    real = [unit(features[b, v].double()) for b, v in order]
    made = [unit(features[b, half + v].double()) for b, v in order]
    losses, hits = [], []
    for i, (image, _) in enumerate(order):
        others = [k for k in range(len(order)) if k != i]
        same = [k for k in others if labels[order[k][0]] == labels[image]]
        rows = made if source == 'universum' else real
        pull = {k: dot(real[i], rows[k]) for k in same}
        push = [dot(real[i], rows[k]) for k in others if k not in same]
        if source != 'universum':
            push += [dot(real[i], row) for row in made]
        if pull:
            total = math.fsum(math.exp(c / T) for c in [*pull.values(), *push])
            losses.append(sum(math.log(total) - c / T for c in pull.values()) / len(pull))
            hits.append(max(pull.values()) > max(push, default=-2.0))
        else:
            hits.append(False)
    return sum(losses) / len(losses), sum(hits) / len(hits)


@pytest.mark.parametrize('source', ['universum', 'real+universum'])
@pytest.mark.parametrize('size', [(2, 2), (7, 2), (5, 3), (5, 1), (8, 1)])
def test_equals_the_loop(source: str, size: tuple[int, int]) -> None:
    """Of five single views, one has no other of its class."""
    features, labels = random_views(size[0], 2 * size[1]), torch.arange(size[0]) % 3
    result = head(source).loss(features, dict(gt_label=labels))
    loss, accuracy = loop(source, features, labels)
    assert float(result['loss_contrast']) == pytest.approx(loss, abs=1e-5)
    assert float(result['acc_contrast']) == pytest.approx(accuracy, abs=1e-6)
    assert float(result['share_counted']) == pytest.approx(0.8 if size == (5, 1) else 1.0)


@pytest.mark.parametrize('source', ['universum', 'real+universum'])
def test_gradient_flows_into_views_and_universum(source: str) -> None:
    features = random_views(4, 4).requires_grad_()
    head(source).loss(features, dict(gt_label=torch.arange(4) % 2))['loss_contrast'].backward()
    assert features.grad is not None
    assert (features.grad.abs().sum(-1) > 1e-4).all()


def test_without_mixing_it_is_sup_con() -> None:
    """u = z, as for a share of nothing: the anchor's own row is dropped in both."""
    features, labels = random_views(6, 2), torch.arange(6) % 3
    twice = torch.cat([features, features], dim=1)
    expected = value(SupConHead(temperature=T), features, labels)
    assert value(head(), twice, labels) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('source', ['universum', 'real+universum'])
def test_a_batch_of_one_class_is_finite(source: str) -> None:
    labels = torch.zeros(4, dtype=torch.int64)
    features = random_views(4, 4).requires_grad_()
    result = head(source).loss(features, dict(gt_label=labels, has_partner=labels.bool()))
    result['loss_contrast'].backward()
    assert math.isfinite(float(result['loss_contrast'].detach()))
    assert features.grad is not None and features.grad.isfinite().all()
    assert float(result['share_mixed']) == 0.0


def test_the_share_of_mixed_images_is_logged_where_it_is_known() -> None:
    features, labels = random_views(4, 2), torch.tensor([0, 0, 1, 2])
    known = dict(gt_label=labels, has_partner=torch.tensor([True, False, True, True]))
    assert float(head().loss(features, known)['share_mixed']) == 0.75
    assert 'share_mixed' not in head().loss(features, dict(gt_label=labels))


def test_half_precision_is_left() -> None:
    features, labels = random_views(6, 4), torch.arange(6) % 2
    whole = value(head(temperature=0.07), features, labels)
    half = value(head(temperature=0.07), features.bfloat16().float(), labels)
    with torch.autocast('cpu', torch.bfloat16):
        inside = value(head(temperature=0.07), features.bfloat16(), labels)
    assert inside == pytest.approx(half, rel=1e-6) == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(key_source='real'), "key_source is 'real'; expected one of universum, real"),
        (dict(temperature=0), 'temperature is 0'),
        (dict(memory=dict(type='FeatureQueue', length=4, dim=4)), 'UniConHead needs none'),
        (dict(oracle_loss=True), 'oracle_loss is set but there is no memory'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UniConHead(**settings)


def test_bad_batches() -> None:
    with pytest.raises(ValueError, match=r'the views \[0, 1, 2\].*as many universum views'):
        value(head(), random_views(4, 3), torch.arange(4))
    with pytest.raises(ValueError, match='UniConHead needs gt_label for every sample, got none'):
        value(head(), random_views(4, 4))
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        value(head(), random_views(1, 4), torch.arange(1))
