"""MoCo: averaged encoder, views on either side, predictor, schedule, errors."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from mochi_mm.models.layers.split_batch_norm import _SplitBatchNorm
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import build_moco, moco_config, views

PREDICTOR = dict(type='MLPNeck', in_channels=8, hidden_channels=6, out_channels=8, norm='hidden')


def build(**kwargs: Any) -> Any:
    return build_moco(mixing=False, **{'batch_shuffle': 'none', **kwargs})


def step(model: Any, batch: dict[str, Any], iteration: int = 0) -> dict[str, torch.Tensor]:
    for module in model.modules():
        if hasattr(module, 'set_step'):
            module.set_step(StepKey(0, iteration))
    return model(**model.data_preprocessor(batch, True), mode='loss')


def test_key_encoder_starts_as_a_copy_and_is_not_trained() -> None:
    model = build_moco()
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(value, model.key_encoder['backbone'].state_dict()[name]), name
    for name, value in model.neck.state_dict().items():
        assert torch.equal(value, model.key_encoder['neck'].state_dict()[name]), name
    step(model, views(4))['loss_contrast'].backward()
    assert all(p.grad is None and not p.requires_grad for p in model.key_encoder.parameters())
    assert all(p.grad is not None for p in model.query_parameters())


def test_initialization_by_config_reaches_the_key_encoder() -> None:
    neck = dict(
        type='MLPNeck',
        in_channels=64,
        out_channels=8,
        init_cfg=dict(type='Constant', layer='Linear', val=0.25, bias=0.5),
    )
    model = MODELS.build(moco_config(neck=neck))
    model.init_weights()
    for encoder in (model.neck, model.key_encoder['neck']):
        assert (encoder.layers[0].weight == 0.25).all() and (encoder.layers[2].bias == 0.5).all()


def test_ema_equals_the_loop() -> None:
    model = build_moco(ema_decay=0.9)
    old = copy.deepcopy(model.key_encoder)
    with torch.no_grad():
        for p in model.query_parameters():
            p.add_(torch.randn_like(p))
    statistics = {n: b.clone() for n, b in model.key_encoder.named_buffers()}
    model.update_ema()
    pairs = zip(
        model.key_encoder.parameters(), old.parameters(), model.query_parameters(), strict=True
    )
    for new, former, query in pairs:
        expected = 0.9 * former.double() + 0.1 * query.double()
        torch.testing.assert_close(new.double(), expected, rtol=1e-6, atol=1e-6)
    for name, buffer in model.key_encoder.named_buffers():
        assert torch.equal(buffer, statistics[name]), name


def test_running_statistics_are_each_encoders_own() -> None:
    model = build_moco(batch_shuffle='none')
    batch = views(4)
    step(model, batch)
    images = model.data_preprocessor(batch)['inputs']
    for encoder, view in ((model.backbone, images[0]), (model.key_encoder['backbone'], images[1])):
        maps = encoder.conv1(view)
        mean = maps.mean((0, 2, 3)) * 0.1
        torch.testing.assert_close(encoder.bn1.running_mean, mean, rtol=1e-4, atol=1e-5)


def test_loss_of_one_view_a_side_is_that_of_the_parts() -> None:
    """Without shuffling: the head's loss on embeddings computed by hand."""
    model = build_moco(batch_shuffle='none')
    batch = views(4)
    twin = copy.deepcopy(model)
    loss = step(model, batch)['loss_contrast']
    first, second = twin.data_preprocessor(batch)['inputs']
    query = twin.neck(twin.backbone(first)[-1].mean((2, 3)))
    key = twin.key_encoder['neck'](twin.key_encoder['backbone'](second)[-1].mean((2, 3)))
    twin.head.mixing.set_step(StepKey(0, 0))
    torch.testing.assert_close(
        twin.head.loss(query, key, batch['data_samples'])['loss_contrast'], loss
    )


def test_mixing_with_no_mixers_is_mocov2_bit_for_bit() -> None:
    plain, mixing = build_moco(mixing=False), build_moco()
    mixing.head.mixing.mixers = nn.ModuleList()
    for iteration in range(3):
        batch = views(4, seed=iteration)
        results = []
        for model in (plain, mixing):
            loss = step(model, batch, iteration)['loss_contrast']
            model.zero_grad()
            loss.backward()
            results.append((loss, [p.grad.clone() for p in model.query_parameters()]))
            with torch.no_grad():
                for p in model.query_parameters():
                    p.sub_(0.1 * p.grad)
            model.update_ema()
        assert torch.equal(results[0][0], results[1][0])
        assert all(torch.equal(a, b) for a, b in zip(results[0][1], results[1][1], strict=True))


def test_state_dict_keys_and_strict_reload() -> None:
    model = build_moco()
    step(model, views(4))
    state = model.state_dict()
    parts = {name.split('.')[0] for name in state}
    assert parts == {'backbone', 'neck', 'head', 'key_encoder'}
    other = build_moco(seed=5)
    other.load_state_dict(state)
    for name, value in other.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_parts_and_views_that_do_not_meet() -> None:
    with pytest.raises(ValueError, match=r'ema_decay is 0\.001.*ema_decay=0\.999'):
        build_moco(ema_decay=0.001)
    with pytest.raises(ValueError, match='ema_decay is 1.0'):
        build_moco(ema_decay=1.0)
    with pytest.raises(
        ValueError, match='neck gives 9 channels but the memory holds keys of width 8'
    ):
        build_moco(neck=dict(type='MLPNeck', in_channels=64, out_channels=9))
    with pytest.raises(ValueError, match='backbone gives 64 channels but the neck takes 32'):
        build_moco(neck=dict(type='MLPNeck', in_channels=32, out_channels=8))
    with pytest.raises(ValueError, match='MoCo takes 2 views of each image, got 3'):
        step(build_moco(), views(4, num_views=3))


@pytest.mark.parametrize('shuffle', ['none', 'split_bn'])
def test_the_former_name_is_moco_bit_for_bit(shuffle: str) -> None:
    model = build(type='MomentumContrast', batch_shuffle=shuffle)
    moco = build(batch_shuffle=shuffle)
    assert type(model) is type(moco)
    batch = views(6)
    first, second = (step(each, batch)['loss_contrast'] for each in (model, moco))
    first.backward()
    second.backward()
    assert torch.equal(first, second)
    for own, other in zip(model.query_parameters(), moco.query_parameters(), strict=True):
        assert torch.equal(own.grad, other.grad)
    for name, value in moco.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_symmetric_loss_is_that_of_the_parts() -> None:
    """With a predictor on the trained encoder alone."""
    model = build(online_views=(0, 1), target_views=(0, 1), predictor=PREDICTOR)
    batch = views(4)
    twin = copy.deepcopy(model)
    loss = step(model, batch)['loss_contrast']
    inputs = twin.data_preprocessor(batch)['inputs']
    queries = [twin.predictor(twin.neck(twin.backbone(x)[-1].mean((2, 3)))) for x in inputs]
    encoder = twin.key_encoder
    keys = [encoder['neck'](encoder['backbone'](x)[-1].mean((2, 3))) for x in inputs]
    single = []
    for i in range(2):
        head = copy.deepcopy(twin.head)
        value = head.loss(queries[i], keys[1 - i], batch['data_samples'])['loss_contrast']
        single.append(value)
    torch.testing.assert_close(loss, (single[0] + single[1]) / 2)
    assert int(model.head.memory.count) == 8


def test_predictor_is_trained_split_and_saved_but_not_averaged() -> None:
    model = build(predictor=PREDICTOR, batch_shuffle='split_bn')
    assert any(isinstance(m, _SplitBatchNorm) for m in model.predictor.modules())
    step(model, views(4))['loss_contrast'].backward()
    assert all(p.grad is not None for p in model.predictor.parameters())
    assert any(name.startswith('predictor.') for name in model.state_dict())
    assert not any('predictor' in name for name in model.key_encoder.state_dict())


def test_both_encoders_are_tapped_at_every_part() -> None:
    model = build(predictor=PREDICTOR).eval()
    images = model.data_preprocessor(views(3))['inputs'][0]
    with torch.no_grad():
        model.key_encoder['neck'].layers[-1].bias.add_(1.0)
        online, target = model.embed(images), model.embed(images, 'target')
        pooled = model.backbone(images)[-1].mean((2, 3))
        torch.testing.assert_close(online.backbone, pooled)
        torch.testing.assert_close(online.neck, model.neck(pooled))
        torch.testing.assert_close(online.predictor, model.predictor(model.neck(pooled)))
        torch.testing.assert_close(target.backbone, pooled)
        torch.testing.assert_close(target.neck, model.neck(pooled) + 1)
        assert torch.equal(target.predictor, target.neck)


@pytest.mark.parametrize('schedule', ['constant', 'cosine'])
def test_the_key_encoder_follows_the_schedule(schedule: str) -> None:
    model = build(ema_decay=0.9, ema_schedule=schedule)
    if schedule == 'cosine':
        with pytest.raises(ValueError, match='call model.set_progress'):
            model.update_ema()
    for progress, decay in ((0.0, 0.9), (0.5, 0.95), (1.0, 1.0)):
        before = [p.clone() for p in model.key_encoder.parameters()]
        with torch.no_grad():
            for p in model.query_parameters():
                p.add_(1.0)
        model.set_progress(progress)
        model.update_ema()
        weight = 0.9 if schedule == 'constant' else decay
        moved = zip(model.key_encoder.parameters(), before, model.query_parameters(), strict=True)
        for key, old, query in moved:
            torch.testing.assert_close(key, weight * old + (1 - weight) * query)


def test_support_views_reach_the_head() -> None:
    finder = dict(type='FalseNegativeFinder', num_support=2, support='score', threshold=None)
    head = dict(
        type='FalseNegativeHead', finder=finder, memory=dict(type='FeatureQueue', length=16, dim=8)
    )
    model = build(head=head, online_views=(0, 1), target_views=(0, 1, 2, 3))
    assert torch.isfinite(step(model, views(4, num_views=4))['loss_contrast'])
    assert int(model.head.memory.count) == 8
    with pytest.raises(ValueError, match='takes 4 views of each image, got 3'):
        step(model, views(4, num_views=3))
    with pytest.raises(ValueError, match='got 3 views of each image, too few for 2 support views'):
        build(head=head, online_views=(0, 1), target_views=(0, 1, 2))


def test_a_pair_is_embedded_as_in_a_step_and_nothing_is_written() -> None:
    model = build(online_views=(1,), target_views=(0,), predictor=PREDICTOR).eval()
    batch = model.data_preprocessor(views(4))
    before = copy.deepcopy(model.state_dict())
    assert model.measured_views() == (1, 0)
    query, key = model.embed_pair(batch['inputs'])
    assert not query.requires_grad and not key.requires_grad
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    expected = model.head.loss(query, key, batch['data_samples'])['loss_contrast']
    fresh = build(online_views=(1,), target_views=(0,), predictor=PREDICTOR).eval()
    torch.testing.assert_close(fresh(**batch, mode='loss')['loss_contrast'], expected)
    model.head.tap = 'backbone'
    query, key = model.embed_pair(batch['inputs'])
    images = batch['inputs']
    assert torch.equal(query, model.embed(images[1]).backbone)
    torch.testing.assert_close(key, model.embed(images[0], 'target').backbone)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(online_views=(0, 3)), 'expected the numbers 0 to V - 1'),
        (dict(online_views=(0,), target_views=(0,)), 'a pair of different views'),
        (dict(ema_schedule='linear'), "ema_schedule is 'linear'; expected one of constant, cosine"),
        (dict(predictor=dict(PREDICTOR, out_channels=5)), 'from 8 to 5 channels but the neck'),
        (dict(ema_decay=0.01), 'ema_decay is 0.01'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**settings)
