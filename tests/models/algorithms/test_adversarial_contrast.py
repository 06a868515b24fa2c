"""Adversarial pre-training: streams, norms apart, resume, ranks, what is refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch.nn.parallel import DistributedDataParallel

from mochi_mm.files.load_start import load_start
from mochi_mm.models.heads import NTXentHead
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import views
from tests.ranks import run_ranks

ATTACK = dict(epsilon=8 / 255, step_size=4 / 255, steps=2)


def build(editor: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    torch.manual_seed(0)
    editor = dict(type='AdversarialViews', attack=ATTACK, **(editor or {}))
    config: dict[str, Any] = dict(
        type='AdversarialContrast',
        backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'),
        neck=dict(type='MLPNeck', in_channels=64, out_channels=8, norm='all'),
        head=dict(type='NTXentHead', temperature=0.5),
        view_editors=[editor],
    )
    model = MODELS.build(dict(config, **kwargs))
    model.init_weights()
    return model.train()


def step(model: Any, iteration: int = 0, called: Any = None, rows: Any = slice(None)) -> Any:
    """The losses of a step, keyed as the hooks do; and what the encoder saw, of that step."""
    for module in model.modules():
        if hasattr(module, 'set_step'):
            module.set_step(StepKey(0, iteration))
    batch = views(6, seed=iteration)
    batch['inputs'] = [view[rows] for view in batch['inputs']]
    batch['data_samples'] = {k: v[rows] for k, v in batch['data_samples'].items()}
    data = model.data_preprocessor(batch, True)
    return (model if called is None else called)(**data, mode='loss'), data['inputs']


def loss_of(features: list[Any]) -> torch.Tensor:
    return NTXentHead(0.5).loss(torch.stack([part.neck for part in features], 1))['loss_contrast']


@pytest.mark.parametrize('own', ['clean', 'adversarial'])
def test_dual_streams_with_norms_apart(own: str) -> None:
    """The mean of two objectives; each kind of views moves its own statistics alone."""
    model = build(streams='dual', own_norms=own)
    start = copy.deepcopy(model)
    result, inputs = step(model)
    start.view_editors[0].set_step(StepKey(0, 0))
    every = start.edit_views(inputs, {})[0]
    assert len(every) == 4
    encoders = dict(clean=('online', 'twins'), adversarial=('twins', 'online'))[own]
    clean = start.embed_views(every[:2], encoders[0])
    changed = start.embed_views(every[2:], encoders[1])
    expected = (loss_of(list(clean.values())) + loss_of(list(changed.values()))) / 2
    torch.testing.assert_close(result['loss_contrast'], expected)
    for name, value in start.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, msg=name)
    result['loss_contrast'].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    one = model.backbone.bn1.running_mean
    other = model.norm_twins['backbone'].bn1.running_mean
    assert not torch.equal(one, other) and int(model.backbone.bn1.num_batches_tracked) == 1
    assert int(model.norm_twins['backbone'].bn1.num_batches_tracked) == 1
    plain = model.eval().extract_feat(inputs[0])  # the network's own norms are measured
    torch.testing.assert_close(plain, model.backbone(inputs[0])[-1].mean((2, 3)))


def test_joint_streams_with_shared_norms() -> None:
    """An image, its other view and its adversarial view are three views of one objective."""
    model = build(dict(views=(0,)), separate_norms=False)
    assert not any('twins' in name for name in model.state_dict())
    start = copy.deepcopy(model)
    result, inputs = step(model)
    start.view_editors[0].set_step(StepKey(0, 0))
    every = start.edit_views(inputs, {})[0]
    clean, changed = start.embed_views(every[:2]), start.embed_views(every[2:])
    expected = loss_of([*clean.values(), *changed.values()])
    torch.testing.assert_close(result['loss_contrast'], expected)


def test_an_editor_that_rests_leaves_the_clean_objective() -> None:
    model = build(dict(views=(0,), start_epoch=2), separate_norms=False)
    plain = copy.deepcopy(model)
    result, inputs = step(model)
    expected = loss_of(list(plain.embed_views(inputs).values()))
    torch.testing.assert_close(result['loss_contrast'], expected, rtol=0, atol=0)


def test_a_twin_has_the_settings_of_its_norm() -> None:
    """Decay of norms and biases, and what is said of a layer by its name."""
    model = build()
    paramwise = dict(
        norm_decay_mult=0.0, bias_decay_mult=0.5, custom_keys={'backbone.layer1': dict(lr_mult=0.1)}
    )
    optimizer = dict(type='SGD', lr=0.4, weight_decay=0.01)
    wrapper = build_optim_wrapper(model, dict(optimizer=optimizer, paramwise_cfg=paramwise))
    groups = {id(p): group for group in wrapper.param_groups for p in group['params']}
    names = dict(model.named_parameters())
    twins = [name for name in names if name.startswith('norm_twins.')]
    norms = [name for name in names if f'norm_twins.{name}' in twins]
    assert len(twins) == len(norms) == 2 * (12 + 2)
    for name in norms:
        own, other = (groups[id(names[n])] for n in (name, f'norm_twins.{name}'))
        for key in ('lr', 'weight_decay'):
            assert own[key] == other[key], (name, key)
    assert groups[id(names['norm_twins.backbone.bn1.bias'])]['weight_decay'] == 0.0
    layer = groups[id(names['norm_twins.backbone.layer1.0.bn1.weight'])]
    assert layer['lr'] == pytest.approx(0.04)


def test_it_goes_on_bit_for_bit_after_a_restart() -> None:
    def train(model: Any, steps: range, state: Any = None) -> Any:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for iteration in steps:
            loss = step(model, iteration)[0]['loss_contrast']
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        return losses

    whole, first, second = (build(streams='dual') for _ in range(3))
    losses = train(whole, range(3))
    parts = train(first, range(2))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert losses == [*parts, *train(second, range(2, 3))]
    for name, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[name], value), name


def on_a_rank(rank: int) -> Any:
    """In evaluation mode, so that norms of a rank's share are those of the whole."""
    model = quiet()
    parallel = DistributedDataParallel(model)
    rows = slice(0, 4) if rank == 0 else slice(4, 6)
    loss = step(model, called=parallel, rows=rows)[0]['loss_contrast']
    loss.backward()
    return loss.detach(), {n: p.grad for n, p in model.named_parameters()}


def quiet() -> Any:
    """Without random starts, which each rank draws for itself."""
    attack = dict(ATTACK, random_start=False)
    torch.manual_seed(0)
    model = build(streams='dual', view_editors=[dict(type='AdversarialViews', attack=attack)])
    for layer in model.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.eval()
    return model


def test_weights_that_it_goes_on_from_are_copied_to_the_norms_apart(tmp_path: Path) -> None:
    model, other = build(), build()
    for _ in range(3):
        step(other)
    torch.save(dict(state_dict=other.state_dict(), meta={}), tmp_path / 'start.pth')
    report = load_start(model, tmp_path / 'start.pth')
    assert 'New, as initialized: nothing' in report
    for part in ('backbone', 'neck'):
        own = getattr(model, part).state_dict()
        for name, value in model.norm_twins[part].state_dict().items():
            assert torch.equal(value, own[name]), name
            if 'running' in name:
                assert torch.equal(value, getattr(other, part).state_dict()[name])


def test_views_that_an_editor_took_away_are_not_counted() -> None:
    """The adversarial views of an explained batch pass the norms apart, both of them."""
    classifier = dict(type='AuxiliaryClassifierHead', num_classes=3, in_channels=64, views=(1,))
    explained = dict(type='ExplainedViews', layer='layer2.0.conv2')
    attacked = dict(type='AdversarialViews', attack=ATTACK, views=(1, 0))
    model = build(
        num_views=3,
        head=dict(type='SupConHead'),
        heads=dict(classifier=classifier),
        view_editors=[explained, attacked],
    )
    seen: list[tuple[int, str]] = []
    embed = model.embed_views
    model.embed_views = lambda v, e='online': (seen.append((len(v), e)), embed(v, e))[1]
    model(**model.data_preprocessor(views(6, num_views=3)), mode='loss')
    assert seen == [(2, 'online'), (2, 'twins')]
    assert model.view_editors[1].views == (0, 1)


def test_two_ranks_equal_one_process() -> None:
    """The attack too sees the candidates of all ranks."""
    results = run_ranks(on_a_rank, 2)
    model = quiet()
    loss = step(model)[0]['loss_contrast']
    loss.backward()
    torch.testing.assert_close((results[0][0] + results[1][0]) / 2, loss.detach())
    for name, parameter in model.named_parameters():
        for _, gradients in results:
            torch.testing.assert_close(
                gradients[name], parameter.grad, rtol=1e-3, atol=1e-5, msg=name
            )


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(view_editors=[]), 'view_editors holds 0 AdversarialViews'),
        (dict(editor=dict(append=False)), 'expects one with append=True'),
        (dict(editor=dict(start_epoch=1)), 'some steps have no adversarial views'),
        (dict(editor=dict(views=(0,)), streams='dual'), 'compares at least two: set views'),
        (dict(streams='triple'), "streams is 'triple'"),
        (dict(own_norms='adversarial', separate_norms=False), 'says nothing with separate_norms'),
    ],
)
def test_what_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_a_network_without_norms_is_refused() -> None:
    class Bare(torch.nn.Module):
        out_channels = 64

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((2, 3)).repeat(1, 22)[:, :64]

    neck = dict(type='MLPNeck', in_channels=64, out_channels=8)
    with pytest.raises(ValueError, match='neither backbone nor neck has a batch norm'):
        build(backbone=Bare(), neck=neck)
