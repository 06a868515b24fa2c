"""MoCo: EMA, shuffling, views, formats, errors."""

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
from tests.ranks import run_ranks


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


def test_initialisation_by_config_reaches_the_key_encoder() -> None:
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


def test_loss_is_that_of_the_parts() -> None:
    """Without shuffling: the head's loss on embeddings computed by hand."""
    model = build_moco(batch_shuffle='none')
    batch = views(4)
    twin = copy.deepcopy(model)
    loss = step(model, batch)['loss_contrast']
    first, second = twin.data_preprocessor(batch)['inputs']
    query = twin.neck(twin.backbone(first)[-1].mean((2, 3)))
    key = twin.key_encoder['neck'](twin.key_encoder['backbone'](second)[-1].mean((2, 3)))
    twin.head.set_step(StepKey(0, 0))
    torch.testing.assert_close(
        twin.head.loss(query, key, batch['data_samples'])['loss_contrast'], loss
    )


def test_mixing_with_no_mixers_is_mocov2_bit_for_bit() -> None:
    plain, mixing = build_moco(mixing=False), build_moco()
    mixing.head.mixers = nn.ModuleList()
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


def test_split_bn_normalises_query_and_key_in_different_groups() -> None:
    model = build_moco(batch_shuffle='split_bn', num_splits=2)
    assert sum(isinstance(m, _SplitBatchNorm) for m in model.modules()) > 4
    seen: list[torch.Tensor] = []
    model.key_encoder['backbone'].conv1.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].clone())
    )
    batch = views(6)
    step(model, batch)
    images = model.data_preprocessor(batch)['inputs'][1]
    order = [int((images - row).abs().flatten(1).sum(1).argmin()) for row in seen[0]]
    assert sorted(order) == list(range(6)) and order != list(range(6))


def test_keys_come_back_in_order() -> None:
    """In evaluation mode the order does not matter, so shuffled keys must equal plain ones."""
    model = build_moco(batch_shuffle='split_bn').eval()
    plain = build_moco(batch_shuffle='none').eval()
    images = model.data_preprocessor(views(7))['inputs'][1]
    model.set_step(StepKey(0, 0))
    torch.testing.assert_close(model._encode_keys(images), plain._encode_keys(images))


def test_auto_is_split_bn_on_one_process() -> None:
    assert build_moco(batch_shuffle='auto').batch_shuffle == 'split_bn'


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


def test_channels_last_changes_rounding_only() -> None:
    plain, last = build_moco(), build_moco(channels_last=True)
    weight = last.backbone.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    batch = views(4)
    torch.testing.assert_close(
        step(plain, batch)['loss_contrast'],
        step(last, batch)['loss_contrast'],
        rtol=1e-4,
        atol=1e-5,
    )
    with torch.no_grad():
        for p in last.query_parameters():
            p.add_(0.01)
    last.update_ema()
    assert (
        last.key_encoder['backbone']
        .layer1[0]
        .conv1.weight.is_contiguous(memory_format=torch.channels_last)
    )


def test_extract_feat_and_modes() -> None:
    model = build_moco().eval()
    batch = model.data_preprocessor(views(3, num_views=1))
    features = model(**batch, mode='tensor')
    assert features.shape == (3, 64)
    torch.testing.assert_close(features, model.backbone(batch['inputs'][0])[-1].mean((2, 3)))
    with pytest.raises(ValueError, match="mode is 'train'"):
        model(**batch, mode='train')
    with pytest.raises(ValueError, match='one view, got 2'):
        model.extract_feat(model.data_preprocessor(views(3))['inputs'])


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match=r'ema_decay is 0\.001.*ema_decay=0\.999'):
        build_moco(ema_decay=0.001)
    with pytest.raises(ValueError, match='ema_decay is 1.0'):
        build_moco(ema_decay=1.0)
    with pytest.raises(ValueError, match="batch_shuffle is 'yes'; expected one of"):
        build_moco(batch_shuffle='yes')
    with pytest.raises(ValueError, match='one process'):
        build_moco(batch_shuffle='shuffle')
    with pytest.raises(
        ValueError, match='neck gives 9 channels but the memory holds keys of width 8'
    ):
        build_moco(neck=dict(type='MLPNeck', in_channels=64, out_channels=9))
    with pytest.raises(ValueError, match='backbone gives 64 channels but the neck takes 32'):
        build_moco(neck=dict(type='MLPNeck', in_channels=32, out_channels=8))
    with pytest.raises(ValueError, match='MoCo takes 2 views of each image, got 3'):
        step(build_moco(), views(4, num_views=3))


def shuffled_keys(rank: int, splits: list[int]) -> dict[str, torch.Tensor]:
    model = build_moco(batch_shuffle='auto').eval()
    assert model.batch_shuffle == 'shuffle'
    model.set_step(StepKey(0, 3, rank))
    images = model.data_preprocessor(views(sum(splits)))['inputs'][1].split(splits)[rank]
    seen: list[torch.Tensor] = []
    model.key_encoder['backbone'].register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].clone())
    )
    return dict(keys=model._encode_keys(images), seen=seen[0], own=images)


@pytest.mark.parametrize('splits', [[4, 4], [5, 2]])
def test_shuffling_over_ranks(splits: list[int]) -> None:
    results = run_ranks(shuffled_keys, 2, splits)
    plain = build_moco(batch_shuffle='none').eval()
    images = plain.data_preprocessor(views(sum(splits)))['inputs'][1]
    keys = torch.cat([r['keys'] for r in results])
    torch.testing.assert_close(keys, plain._encode_keys(images), rtol=1e-5, atol=1e-6)
    exchanged = torch.cat([r['seen'] for r in results])
    assert not torch.equal(exchanged, images)
    assert torch.equal(
        exchanged.flatten(1).sum(1).sort().values, images.flatten(1).sum(1).sort().values
    )
    assert [len(r['seen']) for r in results] == splits
