"""SupMix: two SupCon losses with their shares, by loops and by the plain head; what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import SupConHead, SupMixHead
from mochi_mm.models.view_editors import ReverseMixing
from tests.models.heads.test_nt_xent_head import anchor
from tests.models.heads.toy import value
from tests.models.heads.worked import LABELS, RAW, T, random_views
from tests.reference import dot, unit


def mixed(labels: Tensor, share: float) -> dict[str, Tensor]:
    """Samples as the view editor leaves them."""
    views = [torch.zeros(len(labels), 3, 2, 2)] * 2
    return ReverseMixing(own_share=share)(views, dict(gt_label=labels), None)[1]


def loop(features: Tensor, first: list[list[int]], second: list[list[int]], share: float) -> float:
    """The mean over all anchors, each view with a class in either term."""
    order = [(b, v) for b in range(len(features)) for v in range(2)]
    rows = {key: unit(features[key].double()) for key in order}
    total = 0.0
    for weight, classes in ((share, first), (1 - share, second)):
        for key in order:
            own = classes[key[0]][key[1]]
            cosines = {k: dot(rows[key], rows[k]) / T for k in order if k != key}
            pull = [c for k, c in cosines.items() if classes[k[0]][k[1]] == own]
            push = [c for k, c in cosines.items() if classes[k[0]][k[1]] != own]
            total += weight * anchor(pull, push)
    return total / len(order)


@pytest.mark.parametrize('size', [2, 5, 8])
@pytest.mark.parametrize('share', [0.2, 0.5, 0.85])
def test_equals_the_loop(size: int, share: float) -> None:
    features, labels = random_views(size, 2), torch.arange(size) % 3
    result = SupMixHead(T).loss(features, mixed(labels, share))
    first = [[int(label)] * 2 for label in labels]
    second = [[int(labels[b]), int(labels[size - 1 - b])] for b in range(size)]
    expected = loop(features, first, second, share)
    assert float(result['loss_contrast']) == pytest.approx(expected, abs=1e-5)
    assert float(result['share_counted']) == 1.0


@pytest.mark.parametrize('share', [0.3, 0.5])
def test_it_is_the_mean_of_two_sup_con_losses(share: float) -> None:
    """As the authors compute it: the second with the mixed views in reversed order."""
    labels = torch.tensor([0, 0, 1])
    features = RAW.clone().requires_grad_()
    loss = SupMixHead(0.5).loss(features, mixed(labels, share))['loss_contrast']
    loss.backward()
    twin, plain = RAW.clone().requires_grad_(), SupConHead(temperature=0.5)
    reverse = torch.stack([twin[:, 0], twin[:, 1].flip(0)], dim=1)
    terms = [plain.loss(rows, dict(gt_label=labels))['loss_contrast'] for rows in (twin, reverse)]
    expected = share * terms[0] + (1 - share) * terms[1]
    expected.backward()
    torch.testing.assert_close(loss, expected)
    assert features.grad is not None and twin.grad is not None
    torch.testing.assert_close(features.grad, twin.grad, rtol=1e-5, atol=1e-6)


def test_a_share_of_one_is_sup_con() -> None:
    samples = dict(mixed(LABELS, 0.5), own_share=torch.ones(3))
    found = float(SupMixHead(0.5).loss(RAW, samples)['loss_contrast'])
    assert found == pytest.approx(1.514154, abs=1e-6)
    assert found == pytest.approx(value(SupConHead(temperature=0.5), RAW, LABELS), abs=1e-6)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(temperature=-1), 'temperature is -1'),
        (dict(memory=dict(type='FeatureQueue', length=4, dim=4)), 'SupMixHead needs none'),
        (dict(negatives=dict(type='NegativeEstimator')), 'no sum over negatives that it'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SupMixHead(**settings)


def test_bad_batches() -> None:
    labels = torch.arange(3)
    for views, samples, message in (
        (2, dict(gt_label=labels), r"lack \['own_share', 'partner_label'\].*ReverseMixing"),
        (3, mixed(labels, 0.5), '3 views, and the samples lack nothing; SupMixHead takes a view'),
        (1, mixed(labels, 0.5), '1 views of shapes'),
        (2, {k: v for k, v in mixed(labels, 0.5).items() if k != 'gt_label'}, 'needs gt_label'),
    ):
        with pytest.raises(ValueError, match=message):
            SupMixHead().loss(random_views(3, views), samples)
