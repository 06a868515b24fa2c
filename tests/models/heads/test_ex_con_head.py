"""ExCon's objective: worked values, the slow loop, what it is in special cases, refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import ExConHead, SupConHead
from mochi_mm.structures import Views
from tests.models.heads.toy import value
from tests.models.heads.worked import T, random_views
from tests.ranks import run_ranks
from tests.reference import dot, unit


def made(features: Tensor, labels: Tensor, wrong: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    return features, dict(gt_label=labels, background=wrong, masked=~wrong)


def test_worked_values() -> None:
    """Two images of one class and a background image, each with two views."""
    rows = torch.tensor(
        [
            [[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.96, 0.28]],
            [[0.0, 1.0], [0.28, 0.96], [1.0, 0.0], [1.0, 0.0]],
        ]
    )
    batch = made(rows, torch.tensor([0, 0]), torch.tensor([True, False]))
    lengths = torch.tensor([2.0, 1.0, 0.1, 3.0])[:, None]
    for head, expected in (
        (ExConHead(temperature=0.5), 1.897332),
        (ExConHead(temperature=0.1, base_temperature=0.07), 6.204687),
    ):
        found = head.loss(rows * lengths, batch[1])
        assert float(found['loss_contrast']) == pytest.approx(expected, abs=1e-6, rel=1e-6)
        assert float(found['share_background']) == 0.5 == float(found['share_masked'])


def loop(features: Tensor, labels: Tensor, wrong: Tensor, use: str, num_views: int) -> float:
    """The definition, on the batch as the authors build it: background rows in every view."""
    rows, classes = [], []
    for v in range(num_views):
        for b in range(len(features)):
            rows.append(unit(features[b, v].double()))
            classes.append(int(labels[b]))
    for v in range(num_views):
        for b in range(len(features)):
            if wrong[b]:
                column = num_views if features.shape[1] == num_views + 1 else num_views + v
                rows.append(unit(features[b, column].double()))
                classes.append(-1)
    losses = []
    for i, mine in enumerate(classes):
        if mine == -1 and use == 'negatives':
            continue
        others = [k for k in range(len(rows)) if k != i]
        logits = {k: dot(rows[i], rows[k]) / T for k in others}
        total = math.log(math.fsum(math.exp(x) for x in logits.values()))
        same = [k for k in others if classes[k] == mine]
        losses.append(sum(total - logits[k] for k in same) / len(same))
    return sum(losses) / len(losses)


@pytest.mark.parametrize('use', ['negatives', 'class'])
@pytest.mark.parametrize('size', [(2, 2, 1), (7, 2, 1), (5, 2, 2), (4, 3, 1)])
def test_equals_the_loop(use: str, size: tuple[int, int, int]) -> None:
    images, views, behind = size
    features, labels = random_views(images, views + behind), torch.arange(images) % 3
    for wrong in (
        torch.arange(images) % 2 == 0,
        torch.ones(images).bool(),
        torch.zeros(images) > 0,
    ):
        head = ExConHead(use, views, T)
        found = float(head.loss(*made(features, labels, wrong))['loss_contrast'])
        assert found == pytest.approx(loop(features, labels, wrong, use, views), abs=1e-5)


def test_without_background_it_is_sup_con() -> None:
    features, labels = random_views(6, 3), torch.arange(6) % 3
    expected = value(SupConHead(temperature=T), features[:, :2], labels)
    for use in ('negatives', 'class'):
        none = made(features, labels, torch.zeros(6).bool())
        found = ExConHead(use, temperature=T).loss(*none)
        assert float(found['loss_contrast']) == pytest.approx(expected, abs=1e-6)
    # The editor rests, or makes none.
    for use in ('none', 'negatives'):
        assert value(ExConHead(use, temperature=T), features[:, :2], labels) == expected


def test_gradient_flows_into_background_rows_alone_where_they_are_some() -> None:
    features = random_views(4, 3).requires_grad_()
    wrong = torch.tensor([True, False, True, False])
    loss = ExConHead(temperature=T).loss(*made(features, torch.arange(4) % 2, wrong))
    loss['loss_contrast'].backward()
    assert features.grad is not None
    found = features.grad.abs().sum(-1) > 1e-5
    assert found[:, :2].all() and found[:, 2].tolist() == wrong.tolist()


def _rank(rank: int, use: str) -> list[Tensor]:
    features, labels, wrong = _batch()
    part = slice(0, 3) if rank == 0 else slice(3, 8)
    mine = features[part].clone().requires_grad_()
    loss = ExConHead(use, temperature=T).loss(*made(mine, labels[part], wrong[part]))
    loss['loss_contrast'].backward()
    assert mine.grad is not None
    return [loss['loss_contrast'].detach(), mine.grad / 2]  # averaged over ranks


def _both(rank: int) -> list[list[Tensor]]:
    return [_rank(rank, use) for use in ('negatives', 'class')]


def _batch() -> tuple[Tensor, Tensor, Tensor]:
    """Eight images, of which the first rank has one that is background, the second four."""
    wrong = torch.tensor([0, 1, 0, 1, 1, 1, 0, 1]).bool()
    return random_views(8, 3), torch.arange(8) % 3, wrong


def test_two_ranks_equal_one() -> None:
    results = run_ranks(_both, 2)
    for position, use in enumerate(('negatives', 'class')):
        features, labels, wrong = _batch()
        features.requires_grad_()
        loss = ExConHead(use, temperature=T).loss(*made(features, labels, wrong))
        loss['loss_contrast'].backward()
        losses, gradients = zip(*(result[position] for result in results), strict=True)
        expected = float(loss['loss_contrast'].detach())
        assert float(torch.stack(losses).mean()) == pytest.approx(expected, abs=1e-5)
        assert features.grad is not None
        assert torch.allclose(torch.cat(gradients), features.grad, atol=1e-6)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(background='anchors'), "background is 'anchors'; expected one of none, negatives"),
        (dict(count_all=True), 'count_all=True would count background rows'),
        (dict(memory=dict(type='FeatureQueue', length=4, dim=4)), 'ExConHead needs none'),
        (dict(num_views=0), 'num_views is 0'),
        (dict(threshold=dict(length=4)), 'a number for each image, but ExConHead has'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExConHead(**settings)


def test_bad_batches() -> None:
    labels = dict(gt_label=torch.arange(4))
    views = dict(enumerate(random_views(4, 3).unbind(1)))
    with pytest.raises(ValueError, match="without the samples 'background'"):
        ExConHead().compute(Views(views, samples=labels))
    marked = dict(labels, background=torch.ones(4).bool())
    with pytest.raises(ValueError, match=r"background='none'\) takes 2 views"):
        ExConHead('none').compute(Views(views, samples=marked))
    with pytest.raises(ValueError, match='ExConHead needs gt_label for every sample'):
        ExConHead('none').compute(Views({0: views[0], 1: views[1]}))
