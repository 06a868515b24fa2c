"""The N-pair objective: worked values, loops, gradient on both sides, ranks."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import NPairHead
from mochi_mm.structures import MixedInputs
from tests.models.heads.toy import mixing, synthetic
from tests.models.heads.worked import random_views
from tests.ranks import run_ranks
from tests.reference import dot, unit

FEATURES = torch.tensor(
    [[[1.0, 0.0], [0.96, 0.28]], [[0.0, 1.0], [0.28, 0.96]], [[0.6, 0.8], [0.8, 0.6]]]
)
MIXED = MixedInputs(torch.tensor([1, 2, 0]), torch.tensor([0.7, 0.9, 0.6]))


def loss(head: NPairHead, features: Tensor, mixed: MixedInputs | None = None) -> float:
    samples = {} if mixed is None else mixed.added_to({})
    return float(head.loss(features, samples)['loss_contrast'])


def test_worked_value() -> None:
    lengths = torch.tensor([0.5, 3.0])[:, None]
    assert loss(NPairHead(0.2), lengths * FEATURES, MIXED) == pytest.approx(0.981209, abs=1e-6)


def loop(head: NPairHead, features: Tensor, mixed: MixedInputs | None) -> float:
    rows = [[unit(row.double()) for row in image] for image in features]
    total = 0.0
    for i, (query, _) in enumerate(rows):
        partner, share = i, 1.0
        if mixed is not None and int(mixed.partner[i]) != i:
            partner, share = int(mixed.partner[i]), float(mixed.share[i])
        logits = [dot(query, key) / head.temperature for _, key in rows]
        push = list(logits)
        if head.mixing is not None:
            others = [k for k in range(len(rows)) if k not in (i, partner)]
            hard = sorted(others, key=lambda k: -logits[k])[: head.mixing.num_hard]
            made = synthetic(query, [rows[k][1] for k in hard], head.mixing.mixers)
            push += [cosine / head.temperature for cosine in made]
        whole = math.log(sum(map(math.exp, push)))
        total += whole - share * logits[i] - (1 - share) * logits[partner]
    return total / len(rows)


@pytest.mark.parametrize('part', [None, mixing(2)], ids=['plain', 'mixing'])
@pytest.mark.parametrize('size', [4, 7])
@pytest.mark.parametrize('mixed', [False, True])
def test_loss_equals_the_loop(size: int, mixed: bool, part: Any) -> None:
    features = random_views(size, 2)
    partner = torch.tensor([*range(1, size - 1), 0, size - 1])
    inputs = MixedInputs(partner, torch.linspace(0.5, 0.9, size)) if mixed else None
    head = NPairHead(0.3, mixing=part)
    assert loss(head, features, inputs) == pytest.approx(loop(head, features, inputs), abs=2e-6)


@pytest.mark.parametrize('beta', [0.0, 0.7])
def test_estimate_of_the_negatives_of_mixed_queries(beta: float) -> None:
    """Both images' keys are positives, the mean of which is taken by their shares."""
    tau, size, temperature = 0.05, 5, 0.5
    features, partner = random_views(size, 2), torch.tensor([1, 2, 3, 0, 4])
    inputs = MixedInputs(partner, torch.linspace(0.5, 0.9, size))
    part = dict(type='NegativeEstimator', beta=beta, tau_plus=tau)
    rows = [[unit(row.double()) for row in image] for image in features]
    total = 0.0
    for i, (query, _) in enumerate(rows):
        logits = [dot(query, key) / temperature for _, key in rows]
        shares = {i: 1.0}
        if int(partner[i]) != i:
            shares = {i: float(inputs.share[i]), int(partner[i]): 1 - float(inputs.share[i])}
        others = [logits[j] for j in range(size) if j not in shares]
        weights = [math.exp(beta * value) for value in others]
        mean = sum(w * math.exp(v) for w, v in zip(weights, others, strict=True)) / sum(weights)
        positive = sum(share * math.exp(logits[j]) for j, share in shares.items())
        least = math.exp(-1 / temperature)
        estimate = len(others) * max((mean - tau * positive) / (1 - tau), least)
        whole = math.log(sum(math.exp(logits[j]) for j in shares) + estimate)
        total += whole - sum(share * logits[j] for j, share in shares.items())
    head = NPairHead(temperature, negatives=part)
    assert loss(head, features, inputs) == pytest.approx(total / size, abs=2e-6)


def test_both_views_have_a_gradient() -> None:
    features = random_views(4, 2).requires_grad_()
    NPairHead().loss(features)['loss_contrast'].backward()
    assert features.grad is not None
    assert (features.grad.abs().sum(-1) > 0).all()


def on_a_rank(rank: int, splits: list[int]) -> Tensor:
    part = slice(sum(splits[:rank]), sum(splits[: rank + 1]))
    features = random_views(5, 2)[part].requires_grad_()
    NPairHead().loss(features, of_part(part))['loss_contrast'].backward()
    assert features.grad is not None
    return features.grad


def of_part(part: slice) -> dict[str, Tensor]:
    """Partners within the ranks of three and two images."""
    partner, share = torch.tensor([1, 2, 0, 4, 3]), torch.linspace(0.5, 0.9, 5)
    return MixedInputs(partner[part] - part.start, share[part]).added_to({})


def test_two_ranks_equal_one_process() -> None:
    grads = run_ranks(on_a_rank, 2, [3, 2])
    features = random_views(5, 2).requires_grad_()
    NPairHead().loss(features, of_part(slice(0, 5)))['loss_contrast'].backward()
    torch.testing.assert_close(torch.cat(grads) / 2, features.grad, rtol=1e-5, atol=1e-6)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match='but NPairHead needs none'):
        NPairHead(memory=dict(type='FeatureQueue', length=4, dim=2))
    with pytest.raises(ValueError, match='1 views of shapes'):
        NPairHead().loss(torch.ones(4, 1, 2))
    with pytest.raises(ValueError, match=r'the batch of all ranks holds 1 image\(s\)'):
        NPairHead().loss(torch.ones(1, 2, 2))
