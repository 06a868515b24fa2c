"""The estimator as a part of a head: worked values, loops, half precision, annealing, refusals."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.estimators import NegativeEstimator
from mochi_mm.models.heads import (
    ContrastiveHead,
    CrossViewHead,
    DecoupledHead,
    NTXentHead,
    SkewRenyiHead,
    SoftContrastiveHead,
    SupConHead,
)
from mochi_mm.registry import MODELS
from mochi_mm.structures import Block, Views
from tests.models.heads.family import IN_BATCH, WITH_MEMORY, batch_of, copied
from tests.models.heads.toy import memory, mixing, pairs, synthetic, value, views_loop
from tests.models.heads.worked import random_views
from tests.reference import dot, unit

# Two views of three images.
WORKED = torch.tensor([[(1, 0), (0.96, 0.28)], [(0, 1), (0.6, 0.8)], [(-0.6, 0.8), (-1, 0)]])


def estimate(pull: list[float], push: list[float], part: Any, lowest: float) -> float:
    """The sum over true negatives, by the definition: logits of positives and of the others."""
    importance = [math.exp(part.beta * x) for x in push]
    mean = math.fsum(i * math.exp(x) for i, x in zip(importance, push, strict=True))
    reweighted = len(push) * mean / math.fsum(importance)
    if part.tau_plus == 0:
        return reweighted
    positive = math.fsum(map(math.exp, pull)) / len(pull)
    found = (reweighted - part.tau_plus * len(push) * positive) / (1 - part.tau_plus)
    return max(found, len(push) * math.exp(lowest))


@pytest.mark.parametrize(
    ('beta', 'tau_plus', 'expected', 'clamped'),
    [
        (0.0, 0.0, 0.828636, 0),
        (0.0, 0.1, 0.681980, 1 / 6),
        (0.5, 0.1, 0.937460, 0),
        (1.0, 0.1, 1.113056, 0),
        (2.0, 0.1, 1.273458, 0),
    ],
)
def test_worked_values(beta: float, tau_plus: float, expected: float, clamped: float) -> None:
    head = NTXentHead(0.5, negatives=dict(beta=beta, tau_plus=tau_plus))
    result = head.loss(3 * WORKED)
    assert float(result['loss_contrast']) == pytest.approx(expected, abs=1e-6)
    assert float(result['share_clamped']) == pytest.approx(clamped, abs=1e-6)
    assert float(result['chance_level']) == pytest.approx(math.log(5))


HEADS = {**WITH_MEMORY, **IN_BATCH}
PLAIN = [
    name
    for name in HEADS
    if not any(w in name for w in ('sce', 'hcl', 'debiased', 'renyi', 'supmix'))
]


@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize('name', PLAIN)
def test_without_beta_and_tau_plus_the_objective_is_the_same(name: str, mixed: bool) -> None:
    """Whatever is a positive, dropped, weighed or mixed, with the gradient."""
    part = dict(mixing=mixing()) if mixed else {}
    plain = HEADS[name](**part)
    head = HEADS[name](negatives=dict(beta=0.0, tau_plus=0.0), **part)
    batch, results, gradients = batch_of(name, plain, 5), [], []
    for each in (plain, head):
        online, target, samples = copied(batch, requires_grad=True)
        target = {view: rows.detach() for view, rows in target.items()}
        results.append(each.loss_views(online, target, samples))
        results[-1]['loss_contrast'].backward()
        gradients.append([rows.grad for rows in online.values()])
    assert float(results[1].pop('share_clamped')) == 0
    assert results[0].keys() == results[1].keys()
    for key, expected in results[0].items():
        torch.testing.assert_close(results[1][key], expected, rtol=2e-6, atol=2e-6)
    for ours, theirs in zip(*gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize('part', [None, mixing(4)], ids=['plain', 'mixing'])
@pytest.mark.parametrize('size', [(4, 2), (7, 2), (5, 3)])
@pytest.mark.parametrize(('beta', 'tau_plus'), [(0.0, 0.1), (1.0, 0.1), (2.0, 0.3)])
def test_in_the_batch_equals_the_loop(
    beta: float, tau_plus: float, size: tuple[int, int], part: Any
) -> None:
    """Several positives share the denominator; the mean of them is subtracted."""
    features = random_views(*size)
    head = NTXentHead(0.3, mixing=part, negatives=NegativeEstimator(beta, tau_plus))

    def anchor(pull: list[float], push: list[float]) -> float:
        pushed = estimate(pull, push, head.negatives, -1 / 0.3)
        total = math.log(sum(map(math.exp, pull)) + pushed)
        return sum(total - p for p in pull) / len(pull)

    expected = views_loop(features, torch.zeros(size[0]), anchor, False, 0.3, head.mixing)
    assert value(head, features) == pytest.approx(expected, abs=1e-5)


def test_each_denominator_is_that_of_the_head() -> None:
    """Of the negatives alone, and of one positive and the negatives."""
    features, labels = random_views(6, 2), torch.arange(6) % 3
    part = NegativeEstimator(1.0, 0.1)

    def negatives_alone(pull: list[float], push: list[float]) -> float:
        return math.log(estimate(pull, push, part, -2.0)) - sum(pull) / len(pull)

    def one_positive(pull: list[float], push: list[float]) -> float:
        pushed = estimate(pull, push, part, -2.0)
        return sum(math.log(math.exp(p) + pushed) - p for p in pull) / len(pull)

    found = value(DecoupledHead(0.5, negatives=part), features)
    expected = views_loop(features, labels, negatives_alone, False, 0.5)
    assert found == pytest.approx(expected, abs=1e-5)
    head = SupConHead(denominator='one_positive', temperature=0.5, negatives=part)
    expected = views_loop(features, labels, one_positive, True, 0.5)
    assert value(head, features, labels) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('part', [None, mixing(3)], ids=['plain', 'mixing'])
@pytest.mark.parametrize('masked', [False, True])
def test_with_a_memory_equals_the_loop(masked: bool, part: Any) -> None:
    """N is the number of rows that push, without what is dropped and with what is mixed."""
    queries, keys, samples = pairs(5)
    settings: dict[str, Any] = dict(mask_own_keys=masked, oracle_loss=masked, mixing=part)
    head = ContrastiveHead(memory(), 0.5, negatives=dict(beta=1.0, tau_plus=0.1), **settings)
    bank, losses = head.memory.features.double(), []
    labels, indices = head.memory.labels.tolist(), head.memory.indices.tolist()
    for b in range(5):
        query, key = unit(queries[0][b].double()), unit(keys[1][b].double())
        mine = [j for j in range(11) if indices[j] == int(samples['sample_idx'][b])]
        same = [j for j in range(11) if labels[j] == int(samples['gt_label'][b])]
        kept = [j for j in range(11) if not masked or j not in [*mine, *same]]
        minable = [j for j in range(11) if not masked or j not in mine]
        push = [dot(query, bank[j]) for j in kept]
        if part is not None:
            hard = sorted(minable, key=lambda j: -dot(query, bank[j]))[:3]
            push += synthetic(query, [bank[j] for j in hard], head.mixing.mixers)
        pull = [dot(query, key) / 0.5]
        pushed = estimate(pull, [p / 0.5 for p in push], head.negatives, -2.0)
        losses.append(math.log(math.exp(pull[0]) + pushed) - pull[0])
    result = head.loss_views({0: queries[0]}, {1: keys[1]}, samples)
    assert float(result['loss_contrast']) == pytest.approx(sum(losses) / 5, abs=1e-5)


@pytest.mark.parametrize('temperature', [0.5, 0.07])
def test_is_exact_under_float16_autocast(temperature: float) -> None:
    """Exponentials of 2 / 0.07 are far beyond float16; embeddings alone are rounded."""
    features = 4 * random_views(9, 2).half()
    part = NegativeEstimator(1.0, 0.02)
    with torch.autocast('cpu', dtype=torch.float16):
        low = features.clone().requires_grad_()
        head = NTXentHead(temperature, negatives=part)
        loss = head.loss(low)['loss_contrast']
        loss.backward()

    def anchor(pull: list[float], push: list[float]) -> float:
        pushed = estimate(pull, push, part, -1 / temperature)
        return math.log(math.exp(pull[0]) + pushed) - pull[0]

    expected = views_loop(features.double(), torch.zeros(9), anchor, False, temperature)
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    assert low.grad is not None and low.grad.isfinite().all()


def test_the_objective_sees_positives_and_one_negative() -> None:
    head = NTXentHead(0.5, negatives=NegativeEstimator())
    step = head.compute(Views(dict(enumerate(WORKED.unbind(1)))))
    assert [block.name for block in step.blocks] == ['batch']
    seen, _ = head.estimate(step.blocks)
    assert [block.name for block in seen] == ['batch', 'negatives']
    assert seen[0].dropped is not None and (~seen[0].dropped).sum(1).tolist() == [1] * 6
    assert seen[1].similarity.shape == (6, 1)


def test_an_anchor_without_negatives_or_positives() -> None:
    """The first has nothing to tell apart, the second nothing to be told from."""
    similarity = torch.tensor([[0.3, 0.1], [0.2, 0.4]], requires_grad=True)
    pull = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    part = NegativeEstimator(1.0, 0.1)
    seen, statistics = part([Block('batch', similarity, pull=pull)], 0.5)
    assert seen[1].similarity[0].item() == -math.inf
    assert seen[1].similarity[1].isfinite().all()
    assert float(statistics['share_clamped']) == 0
    losses = NTXentHead(0.5).objective(None, seen)  # type: ignore[arg-type]
    losses.sum().backward()
    assert losses.isfinite().all() and float(losses[1].detach()) == 0
    assert similarity.grad is not None and similarity.grad.isfinite().all()


def test_the_share_clamped_counts_anchors_with_a_positive() -> None:
    similarity = torch.tensor([[0.99, -0.9, -0.8], [0.1, 0.9, 0.8], [0.9, 0.9, 0.9]])
    pull = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 0, 0]])
    _, statistics = NegativeEstimator(0.0, 0.1)([Block('batch', similarity, pull=pull)], 0.1)
    assert float(statistics['share_clamped']) == pytest.approx(1 / 2)


def test_beta_falls_over_the_epochs() -> None:
    linear, stairs = (
        NegativeEstimator(2.0, anneal='linear'),
        NegativeEstimator(2.0, anneal='stairs'),
    )
    found = []
    for epoch in range(18):
        for part in (linear, stairs):
            part.set_epoch(epoch, 18)
        assert linear.current_beta == pytest.approx(2 * (18 - epoch) / 18)
        found.append(stairs.current_beta)
    # The authors': numpy's linspace(2, 0, 9), one of them at the end of each ninth.
    expected = [2.0, 2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5, 0.25]
    assert found[::2] == found[1::2] == pytest.approx(expected)
    constant = NegativeEstimator(2.0)
    constant.set_epoch(17, 18)
    assert constant.current_beta == 2.0


def test_a_head_passes_the_epoch_on_and_logs_beta() -> None:
    head = NTXentHead(0.5, negatives=dict(beta=2.0, anneal='linear'))
    head.set_epoch(3, 4)
    result = head.loss(WORKED)
    assert float(result['beta']) == 0.5
    plain = NTXentHead(0.5, negatives=dict(beta=0.5))
    assert torch.equal(plain.loss(WORKED)['loss_contrast'], result['loss_contrast'])
    assert 'beta' not in plain.loss(WORKED)


def test_a_step_after_a_restart_is_the_same() -> None:
    """Nothing but the epoch decides, so a head that is loaded and told goes on bit for bit."""
    queries, keys, samples = pairs(5)

    def make() -> ContrastiveHead:
        return ContrastiveHead(memory(), 0.5, negatives=dict(beta=2.0, anneal='stairs'))

    def step(head: Any, epoch: int) -> Tensor:
        head.set_epoch(epoch, 9)
        return head.loss_views(queries, keys, samples)['loss_contrast']

    whole, first, second = make(), make(), make()
    losses = [step(whole, epoch) for epoch in range(6)]
    parts = [step(first, epoch) for epoch in range(3)]
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    parts += [step(second, epoch) for epoch in range(3, 6)]
    assert torch.equal(torch.stack(losses), torch.stack(parts))
    assert len({float(loss) for loss in losses}) == 6


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(beta=-0.5), r'beta is -0.5; expected a number of 0 or more'),
        (dict(beta=math.inf), r'beta is inf; expected a number of 0 or more and finite'),
        (dict(tau_plus=1.0), r'tau_plus is 1.0; expected the probability .* in \[0, 1\)'),
        (dict(tau_plus=-0.1), 'tau_plus is -0.1; expected a number of 0 or more'),
        (dict(tau_plus=math.nan), 'tau_plus is nan'),
        (dict(tau_plus=True), 'tau_plus is True'),
        (dict(anneal='cosine'), "anneal is 'cosine'; expected one of linear, stairs"),
        (dict(beta=0.0, anneal='linear'), 'beta is 0, so there is nothing to anneal'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='NegativeEstimator', **settings))


def test_heads_that_could_not_use_it_refuse_it() -> None:
    part = dict(type='NegativeEstimator')
    with pytest.raises(ValueError, match='objective of SoftContrastiveHead has no sum over negat'):
        SoftContrastiveHead(memory(), negatives=part)
    with pytest.raises(ValueError, match='objective of SkewRenyiHead has no sum over negatives'):
        SkewRenyiHead(negatives=part)
    banks = [dict(type='InstanceBank', length=8, dim=4)] * 2
    with pytest.raises(ValueError, match="CrossViewHead got an unknown argument 'negatives'"):
        MODELS.build(dict(type='CrossViewHead', memories=banks, negatives=part))
    with pytest.raises(TypeError, match='negatives'):
        CrossViewHead(banks, negatives=part)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match='FeatureQueue is no NegativeEstimator; expected one'):
        NTXentHead(negatives=memory())


def test_a_batch_of_one_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        NTXentHead(negatives=dict()).loss(torch.randn(1, 2, 4))
