"""Views on either side, predictor, schedule of the key encoder."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.layers.split_batch_norm import _SplitBatchNorm
from mochi_mm.randomness import StepKey
from tests.models.algorithms.toy import build_moco, views

PREDICTOR = dict(type='MLPNeck', in_channels=8, hidden_channels=6, out_channels=8, norm='hidden')


def build(**kwargs: Any) -> Any:
    settings = dict(type='MomentumContrast', batch_shuffle='none')
    return build_moco(mixing=False, **{**settings, **kwargs})


def step(model: Any, batch: dict[str, Any]) -> Tensor:
    for module in model.modules():
        if hasattr(module, 'set_step'):
            module.set_step(StepKey(0, 0))
    return model(**model.data_preprocessor(batch), mode='loss')['loss_contrast']


@pytest.mark.parametrize('shuffle', ['none', 'split_bn'])
def test_one_view_a_side_is_moco_bit_for_bit(shuffle: str) -> None:
    model, moco = build(batch_shuffle=shuffle), build_moco(mixing=False, batch_shuffle=shuffle)
    batch = views(6)
    first, second = step(model, batch), step(moco, batch)
    first.backward()
    second.backward()
    assert torch.equal(first, second)
    for own, other in zip(model.query_parameters(), moco.query_parameters(), strict=True):
        assert torch.equal(own.grad, other.grad)
    for name, value in moco.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_loss_is_that_of_the_parts() -> None:
    """Symmetric, with a predictor on the trained encoder alone."""
    model = build(online_views=(0, 1), target_views=(0, 1), predictor=PREDICTOR)
    batch = views(4)
    twin = copy.deepcopy(model)
    loss = step(model, batch)
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
    step(model, views(4)).backward()
    assert all(p.grad is not None for p in model.predictor.parameters())
    assert any(name.startswith('predictor.') for name in model.state_dict())
    assert not any('predictor' in name for name in model.key_encoder.state_dict())


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
        type='FalseNegativeMemoryHead',
        finder=finder,
        memory=dict(type='FeatureQueue', length=16, dim=8),
    )
    model = build(head=head, online_views=(0, 1), target_views=(0, 1, 2, 3))
    assert torch.isfinite(step(model, views(4, num_views=4)))
    assert int(model.head.memory.count) == 8
    with pytest.raises(ValueError, match='takes 4 views of each image, got 3'):
        step(model, views(4, num_views=3))
    with pytest.raises(ValueError, match='needs the keys of 4 views of each image, target_views n'):
        build(head=head, online_views=(0, 1), target_views=(0, 1, 2))


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
