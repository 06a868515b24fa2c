"""Deep Bregman divergence: worked values, loops, ranks, its warning, what it refuses."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.models.heads import BregmanHead, NTXentHead, bregman_head
from mochi_mm.structures import Views
from tests.models.algorithms.toy import moco_config
from tests.models.heads.worked import random_views
from tests.models.view_editors.runs import straight_and_resumed
from tests.ranks import run_ranks
from tests.reference import unit
from tests.toy_runner import runner_config

# Outputs of three sub-networks for two views of two images.
OUTPUTS = torch.tensor([[[2.0, 1, 0], [1, 1.2, 0]], [[0, 1.5, 1], [0, 1, 2]]])
UNITS = torch.tensor([[[1.0, 0.0], [0.8, 0.6]], [[0.0, 1.0], [0.6, 0.8]]])
ONE_WINNER = torch.tensor([3.0, 1, 0]).repeat(2, 2, 1)


class GivenOutputs(nn.Identity):
    """Sub-networks whose outputs are the embeddings."""

    num_subnets = 3


def given(**settings: Any) -> BregmanHead:
    """A head that is given the outputs of its sub-networks."""
    settings = dict(in_channels=3, contrast_weight=0.0, normalize_input=False) | settings
    head = BregmanHead(num_subnets=3, hidden_channels=2, **settings)
    head.subnets = GivenOutputs()
    return head


def small(**settings: Any) -> BregmanHead:
    torch.manual_seed(0)
    sizes = dict(in_channels=6, num_subnets=4, hidden_channels=5, dropout=0.0)
    return BregmanHead(**{**sizes, **settings})


def test_worked_values() -> None:
    result = given().loss(OUTPUTS)
    assert float(result['loss_divergence']) == pytest.approx(1.019603, abs=1e-6)
    assert int(result['active_subnets']) == 3 and 'loss_contrast' not in result
    # The winners are 0 and 1 of the one image, 1 and 2 of the other.
    assert float(result['share_same_winner']) == 0
    assert float(given().loss(ONE_WINNER)['share_same_winner']) == 1
    near = math.exp(-1 / 1.62), math.exp(-0.2 / 1.62), math.exp(-0.5 / 1.62), math.exp(-1 / 1.62)
    assert float(result['sim_divergence']) == pytest.approx(sum(near) / 4, abs=1e-6)
    contrast = float(BregmanHead(2, 3, 2).loss(UNITS)['loss_contrast'])
    assert contrast == pytest.approx(0.870714, abs=1e-6)
    assert contrast + 1.019603 == pytest.approx(1.890316, abs=2e-6)


def test_one_winner_is_chance_without_a_gradient() -> None:
    outputs = ONE_WINNER.clone().requires_grad_()
    result = given().loss(outputs)
    result['loss_divergence'].backward()
    assert float(result['loss_divergence'].detach()) == pytest.approx(1.098612, abs=1e-6)
    assert float(result['chance_divergence']) == pytest.approx(math.log(3), abs=1e-6)
    assert int(result['active_subnets']) == 1
    assert outputs.grad is not None and float(outputs.grad.abs().max()) == 0


def loop(head: BregmanHead, features: Tensor) -> float:
    """The mean over anchors of -log of the softmax over all others, by the definition."""
    rows = [
        (image, unit(view.double()) if head.normalize_input else view.double())
        for image, views in enumerate(features)
        for view in views
    ]
    bank, total = head.subnets, 0.0
    outputs = []
    for _, row in rows:
        hidden = [
            max(0.0, float(w.double() @ row + b))
            for w, b in zip(bank.first.weight.data, bank.first.bias.data, strict=True)
        ]
        width = bank.hidden_channels
        outputs.append(
            [
                float(bank.last_bias.data[k])
                + sum(
                    float(v) * h
                    for v, h in zip(bank.last.data[k], hidden[k * width :], strict=False)
                )
                for k in range(bank.num_subnets)
            ]
        )
    winner = [max(range(len(g)), key=lambda k, g=g: g[k]) for g in outputs]
    for i, (image, _) in enumerate(rows):
        logits = {}
        for j in range(len(rows)):
            divergence = outputs[i][winner[i]] - outputs[i][winner[j]]
            similarity = math.exp(-divergence / (2 * head.sigma**2))
            logits[j] = similarity / head.temperature
        whole = math.log(sum(math.exp(logits[j]) for j in logits if j != i))
        pull = [logits[j] for j in logits if j != i and rows[j][0] == image]
        total += whole - sum(pull) / len(pull)
    return total / len(rows)


@pytest.mark.parametrize('normalize', [True, False])
@pytest.mark.parametrize('views', [2, 3])
@pytest.mark.parametrize('size', [2, 5])
def test_both_losses_equal_their_loops(size: int, views: int, normalize: bool) -> None:
    head = small(sigma=0.6, temperature=0.3, normalize_input=normalize, weight=2.0)
    features = random_views(size, views)
    result = head.loss(features)
    expected = 2 * loop(head, features)
    assert float(result['loss_divergence'].detach()) == pytest.approx(expected, abs=2e-6)
    contrast = NTXentHead(0.3).loss(features)
    assert torch.equal(result['loss_contrast'], contrast['loss_contrast'])
    assert torch.equal(result['chance_level'], contrast['chance_level'])
    halved = small(temperature=0.3, contrast_weight=0.5).loss(features)['loss_contrast']
    assert float(halved) == pytest.approx(float(contrast['loss_contrast']) / 2)


def test_both_losses_reach_the_embeddings_and_the_sub_networks() -> None:
    head, features = small(), random_views(5, 2).requires_grad_()
    result = head.loss(features)
    assert int(result['active_subnets']) > 1
    result['loss_divergence'].backward(retain_graph=True)
    assert features.grad is not None and float(features.grad.abs().max()) > 0
    assert all(float(p.grad.abs().max()) > 0 for p in head.subnets.parameters())
    before = features.grad.clone()
    result['loss_contrast'].backward()
    assert not torch.equal(features.grad, before)


def test_what_is_not_finite_shows() -> None:
    features = random_views(4, 2)
    features[1, 0, 2] = math.nan
    result = small().loss(features)
    assert math.isnan(float(result['loss_divergence']))


def on_a_rank(rank: int) -> dict[str, Tensor]:
    part = slice(0, 3) if rank == 0 else slice(3, 5)
    return step_of(random_views(5, 2)[part])


def step_of(features: Tensor) -> dict[str, Tensor]:
    head, features = small(), features.clone().requires_grad_()
    result = head.loss(features)
    (result['loss_divergence'] + result['loss_contrast']).backward()
    assert features.grad is not None
    return dict(
        loss=(result['loss_divergence'] + result['loss_contrast']).detach(),
        grad=features.grad,
        weight=head.subnets.first.weight.grad,
        active=result['active_subnets'],
    )


def test_two_ranks_equal_one_process() -> None:
    first, second = run_ranks(on_a_rank, 2)
    whole = step_of(random_views(5, 2))
    torch.testing.assert_close((first['loss'] + second['loss']) / 2, whole['loss'])
    joined = torch.cat([first['grad'], second['grad']]) / 2
    torch.testing.assert_close(joined, whole['grad'], rtol=1e-5, atol=1e-6)
    mean = (first['weight'] + second['weight']) / 2
    torch.testing.assert_close(mean, whole['weight'], rtol=1e-5, atol=1e-6)
    assert int(first['active']) == int(second['active']) == int(whole['active'])


@pytest.mark.parametrize(
    ('batches', 'warned'),
    [([ONE_WINNER, ONE_WINNER], True), ([ONE_WINNER, OUTPUTS], False), ([], False)],
)
def test_an_epoch_of_one_winner_is_a_warning_when_the_next_begins(
    batches: list[Tensor], warned: bool
) -> None:
    head = given()
    with mock.patch.object(bregman_head, 'print_log') as log:
        head.set_epoch(0, 3)
        for batch in batches:
            head.loss(batch)
        head.compute(Views({0: ONE_WINNER[:, 0], 1: ONE_WINNER[:, 1]}))  # counts for nothing
        assert not log.called
        head.set_epoch(1, 3)
        assert log.called is warned
        if warned:
            text, _, level = log.call_args.args
            assert 'in all 2 steps before epoch 1 one of' in text and 'raise num_subnets' in text
            assert level == logging.WARNING
        log.reset_mock()
        head.set_epoch(2, 3)
        assert not log.called
    assert 'most_active' not in head.state_dict()


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(sigma=0), 'sigma is 0; expected a number above 0'),
        (dict(num_subnets=0), 'num_subnets is 0; expected an integer >= 2'),
        (dict(temperature=0), 'temperature is 0'),
        (dict(contrast_weight=-1.0), 'contrast_weight is -1.0; expected a number of 0 or more'),
        (
            dict(memory=dict(type='FeatureQueue', length=4, dim=6)),
            'BregmanHead takes none: a row of a memory is an old embedding .*InBatchContrast',
        ),
        (
            dict(removal=dict(rule='threshold', threshold=0.8)),
            "removal has the rule 'threshold', which is a cosine, but BregmanHead compares by",
        ),
        (dict(mixing=dict(num_hard=2)), 'mixing is .* but BregmanHead takes none: mixers work'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_a_batch_of_one_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r'the batch of all ranks holds 1 image\(s\)'):
        small().loss(random_views(1, 2))


def test_a_resumed_run_is_the_straight_one(tmp_path: Path) -> None:
    """Drop-out included: interrupted within the first epoch, gone on with from a checkpoint."""
    torch.set_num_threads(1)

    def config(name: str) -> Any:
        torch.manual_seed(0)
        config = runner_config(tmp_path / name)
        head = dict(type='BregmanHead', in_channels=8, num_subnets=6, hidden_channels=5)
        encoder = {k: v for k, v in moco_config().items() if k in ('backbone', 'neck')}
        config.model = dict(type='InBatchContrast', head=head, **encoder)
        config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=2)
        return config

    assert straight_and_resumed(config, 3)


def test_false_negatives_of_the_divergence_are_removed_and_reported() -> None:
    labels = dict(gt_label=torch.arange(6) % 3)
    plain, without = small().eval(), small(removal=dict(rule='oracle')).eval()
    without.load_state_dict(plain.state_dict())
    features = torch.randn(6, 2, 6, generator=torch.Generator().manual_seed(1))
    both, fewer = (head.loss(features, labels) for head in (plain, without))
    assert float(fewer['loss_divergence']) < float(both['loss_divergence'])
    assert torch.equal(fewer['loss_contrast'], both['loss_contrast'])
    assert float(fewer['removed_share']) == pytest.approx(2 / 10)  # of 12 views less an image's


def test_estimate_of_the_negatives_of_the_divergence() -> None:
    """Debiased in a loop: similarities lie in (0, 1], so the least logit is 0."""
    tau, temperature = 0.1, 0.5
    head = given(
        temperature=temperature, negatives=dict(type='NegativeEstimator', beta=0, tau_plus=tau)
    )
    result = head.loss(OUTPUTS)
    rows = OUTPUTS.double().flatten(0, 1)  # image by image
    logits = head.similarity(rows, rows) / temperature
    losses = []
    for i in range(4):
        pair = i ^ 1
        positive = math.exp(logits[i, pair])
        negatives = [math.exp(logits[i, j]) for j in range(4) if j not in (i, pair)]
        count = len(negatives)
        estimate = (sum(negatives) - tau * count * positive) / (1 - tau)
        losses.append(-math.log(positive / (positive + max(estimate, count * 1.0))))
    assert float(result['loss_divergence']) == pytest.approx(sum(losses) / 4, abs=1e-6)
    assert 'share_clamped' in result
