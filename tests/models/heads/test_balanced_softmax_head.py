"""The classifier with class counts: alone, beside another objective, over views and ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from mochi_mm.models.heads import BalancedSoftmaxHead, LinearHead
from mochi_mm.structures import Views
from tests.models.functional.test_balanced_softmax import balanced_softmax_loop
from tests.ranks import run_ranks

COUNTS = [900, 90, 10]


def make(**settings: Any) -> BalancedSoftmaxHead:
    """A head of three classes with weights of its own."""
    torch.manual_seed(0)
    head = BalancedSoftmaxHead(3, 5, **{'class_counts': COUNTS, **settings})
    torch.nn.init.normal_(head.fc.weight)
    return head


def batch(rows: int, seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 5, generator=generator), dict(gt_label=torch.arange(rows) % 3)


@pytest.mark.parametrize('settings', [dict(), dict(weight=0.5), dict(label_smoothing=0.1)])
def test_equals_the_loop(settings: dict[str, Any]) -> None:
    head, (features, samples) = make(**settings), batch(7)
    logits = head(features).tolist()
    losses = [
        balanced_softmax_loop(row, label, COUNTS, head.label_smoothing)
        for row, label in zip(logits, samples['gt_label'].tolist(), strict=True)
    ]
    found = head.loss(features, samples)
    expected = head.weight * sum(losses) / len(losses)
    assert float(found['loss_classification']) == pytest.approx(expected, abs=1e-5)
    right = (torch.tensor(logits).argmax(1) == samples['gt_label']).float().mean()
    assert float(found['acc_top1']) == pytest.approx(float(right))


def test_without_counts_it_is_the_linear_head() -> None:
    head, (features, samples) = make(class_counts=None), batch(6)
    plain = LinearHead(3, 5)
    plain.load_state_dict(head.fc.state_dict(prefix='fc.'))
    for name, value in plain.loss(features, samples).items():
        torch.testing.assert_close(head.loss(features, samples)[name], value)
    torch.testing.assert_close(head.predict(features), plain.predict(features))


def test_it_predicts_without_the_prior() -> None:
    head, (features, _) = make(), batch(4)
    torch.testing.assert_close(head.predict(features), head(features).softmax(1))


def test_views_are_rows_and_keys_are_not_used() -> None:
    head, (one, samples), (other, _) = make(), batch(5), batch(5, seed=1)
    both = torch.cat([one, other])
    twice = dict(gt_label=samples['gt_label'].repeat(2))
    for name, value in head.loss(both, twice).items():
        found = head.loss_views({0: one, 1: other}, {2: one}, samples)
        torch.testing.assert_close(found[name], value)


def test_mistakes() -> None:
    head, (features, samples) = make(), batch(4)
    with pytest.raises(ValueError, match='the batch holds the label 3; expected 0 to 2'):
        head.loss_views({0: features}, {}, dict(gt_label=samples['gt_label'] + 1))
    with pytest.raises(ValueError, match='no gt_label'):
        head.loss_views({0: features}, {}, {})
    with pytest.raises(ValueError, match='weight is 0'):
        make(weight=0)
    with pytest.raises(ValueError, match=r'class_counts .* \[1, 2\], 2 of them; expected 3'):
        make(class_counts=[1, 2])
    with pytest.raises(ValueError, match='BalancedSoftmaxHead does not know'):
        make(class_counts='data').loss(features, samples)


def gradient(head: BalancedSoftmaxHead, features: Tensor, samples: Any) -> tuple[Tensor, Tensor]:
    loss = head.loss(features, samples)['loss_classification']
    loss.backward()
    return loss.detach(), head.fc.weight.grad


def on_a_rank(rank: int) -> tuple[Tensor, Tensor]:
    features, samples = batch(7)
    part = [rows.split([5, 2])[rank] for rows in (features, samples['gt_label'])]
    results = gradient(make(), part[0], dict(gt_label=part[1]))
    for value in results:
        dist.all_reduce(value)
        value /= 2
    return results


def test_two_ranks_equal_one_process() -> None:
    whole = gradient(make(), *batch(7))
    for rank in run_ranks(on_a_rank, 2):
        torch.testing.assert_close(rank[0], whole[0])
        torch.testing.assert_close(rank[1], whole[1])


def test_compute_tells_losses_from_statistics() -> None:
    """As of every head on views, for loops that write nothing; here nothing is written at all."""
    head = BalancedSoftmaxHead(3, 6, class_counts=[5, 3, 1], label_key='cluster')
    views = Views({v: torch.randn(4, 6) for v in range(2)}, {}, dict(cluster=torch.arange(4) % 3))
    step = head.compute(views)
    assert list(step.losses) == ['loss_classification'] and list(step.statistics) == ['acc_top1']
    assert step.writes == ()
    found = head.loss_views(views.online, None, views.samples)
    assert all(torch.equal(value, found[name]) for name, value in step.results().items())
