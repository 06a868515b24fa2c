"""Two gloo ranks equal one process on the joined batch: loss and gradient of in-batch heads."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.heads import (
    DecoupledHead,
    FairKLHead,
    NTXentHead,
    SupConHead,
    SupInfoNCEHead,
)
from tests.ranks import run_ranks
from tests.reference import random_units

HEADS: dict[str, tuple[Any, str]] = {
    'NT-Xent': (lambda: NTXentHead(0.3), 'loss_contrast'),
    'SupCon': (lambda: SupConHead(), 'loss_contrast'),
    'SupCon, in': (lambda: SupConHead('in'), 'loss_contrast'),
    'SupCon, negatives': (lambda: SupConHead(denominator='negatives'), 'loss_contrast'),
    'SupCon, one positive': (lambda: SupConHead(denominator='one_positive'), 'loss_contrast'),
    'SupCon, single views': (lambda: SupConHead(), 'loss_contrast'),
    'SupCon, single views, all counted': (lambda: SupConHead(count_all=True), 'loss_contrast'),
    'DCL': (lambda: DecoupledHead(0.3), 'loss_contrast'),
    'DCLW': (lambda: DecoupledHead(0.3, 0.5), 'loss_contrast'),
    'DCLW, with gradient': (
        lambda: DecoupledHead(0.3, 0.5, detach_weight=False),
        'loss_contrast',
    ),
    'eps-SupInfoNCE': (lambda: SupInfoNCEHead(0.2), 'loss_contrast'),
    'eps-SupInfoNCE, in': (lambda: SupInfoNCEHead(0.2, form='in'), 'loss_contrast'),
    'eps-SupInfoNCE, SupCon': (lambda: SupInfoNCEHead(0.2, form='sup_con'), 'loss_contrast'),
    'eps-SupInfoNCE, floor': (lambda: SupInfoNCEHead(0.2, floor=0.1, weight=2.0), 'loss_contrast'),
    'FairKL': (lambda: FairKLHead(), 'loss_fair_kl'),
    'FairKL, moments': (lambda: FairKLHead(form='moments'), 'loss_fair_kl'),
    'FairKL, Gaussian': (lambda: FairKLHead(form='gaussian'), 'loss_fair_kl'),
}


def batch(name: str, total: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    views = 1 if 'single' in name else 2
    features = random_units(total * views, 5, 0).float().reshape(total, views, 5) * 2
    labels = dict(gt_label=torch.tensor([0, 1, 1, 0, 2, 3, 1, 0])[:total])
    return features, dict(labels, bias_label=torch.arange(total) // 2 % 2)


def step(name: str, features: torch.Tensor, samples: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    make, key = HEADS[name]
    features = features.clone().requires_grad_()
    loss = make().loss(features, samples)[key]
    loss.backward()
    assert features.grad is not None
    return [loss.detach(), features.grad]


def on_a_rank(rank: int, sizes: list[list[int]]) -> dict[str, list[torch.Tensor]]:
    results = {}
    for name in HEADS:
        for split in sizes:
            features, samples = batch(name, sum(split))
            mine = {key: value.split(split)[rank] for key, value in samples.items()}
            loss, gradient = step(name, features.split(split)[rank], mine)
            # What data-parallel training reports and applies is the mean over ranks.
            dist.all_reduce(loss)
            results[f'{name} {split}'] = [loss / 2, gradient / 2]
    return results


def test_two_ranks_equal_one_process() -> None:
    sizes = [[4, 4], [5, 2]]
    results = run_ranks(on_a_rank, 2, sizes)
    for name in HEADS:
        for split in sizes:
            loss, gradient = step(name, *batch(name, sum(split)))
            key = f'{name} {split}'
            torch.testing.assert_close(results[0][key][0], loss, rtol=1e-5, atol=1e-6)
            joined = torch.cat([result[key][1] for result in results])
            torch.testing.assert_close(joined, gradient, rtol=1e-4, atol=1e-6)


def one_image_each(rank: int) -> float:
    """A rank with one image still has the others' to push from."""
    return float(
        NTXentHead().loss(torch.eye(4)[rank : rank + 1, None].repeat(1, 2, 1))['acc_contrast']
    )


@pytest.mark.parametrize('ranks', [2])
def test_a_single_image_a_rank_is_enough(ranks: int) -> None:
    assert run_ranks(one_image_each, ranks) == [1.0, 1.0]
