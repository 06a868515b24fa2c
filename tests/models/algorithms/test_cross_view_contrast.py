"""CMC's arrangement: split encoders on parts of the channels."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.models.backbones import SplitBackbone
from mochi_mm.models.functional.color import rgb_to_lab
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import views


def config(**kwargs: Any) -> dict[str, Any]:
    part = dict(type='ResNet', depth=10, width=0.125, stem='small')
    bank = dict(type='InstanceBank', length=10, dim=8)
    neck = dict(type='MLPNeck', in_channels=64, out_channels=8, num_layers=1)
    settings: dict[str, Any] = dict(
        type='CrossViewContrast',
        data_preprocessor=dict(type='mochi_mm.ColorSpaceDataPreprocessor'),
        backbone=dict(
            type='SplitBackbone', backbones=[dict(part, in_channels=1), dict(part, in_channels=2)]
        ),
        neck=dict(type='SplitNeck', necks=[neck, neck]),
        head=dict(type='CrossViewHead', memories=[bank, bank], num_negatives=5, form='softmax'),
    )
    return {**settings, **kwargs}


def build(**kwargs: Any) -> Any:
    torch.manual_seed(0)
    model = MODELS.build(config(**kwargs))
    model.init_weights()
    return model.train()


def test_the_preprocessor_gives_normalized_lab() -> None:
    batch = views(3, num_views=1)
    lab = build().data_preprocessor(batch)['inputs'][0]
    mean = torch.tensor([50.0, 6.025, -6.6895]).view(3, 1, 1)
    std = torch.tensor([50.0, 92.208, 101.1675]).view(3, 1, 1)
    torch.testing.assert_close(lab, (rgb_to_lab(batch['inputs'][0].float()) - mean) / std)
    with pytest.raises(ValueError, match="space is 'hsv'; expected one of lab, ycbcr"):
        build(data_preprocessor=dict(type='mochi_mm.ColorSpaceDataPreprocessor', space='hsv'))


def test_loss_is_that_of_the_parts() -> None:
    model = build()
    batch = model.data_preprocessor(views(4, num_views=1))
    twin = copy.deepcopy(model)
    torch.manual_seed(3)
    losses = model(**batch, mode='loss')
    image = batch['inputs'][0]
    embeddings = []
    for encoder, neck, channels in zip(
        twin.backbone.backbones, twin.neck.necks, (slice(0, 1), slice(1, 3)), strict=True
    ):
        embeddings.append(neck(encoder(image[:, channels])[-1].mean((2, 3))))
    torch.manual_seed(3)
    expected = twin.head.loss(torch.stack(embeddings, dim=1), batch['data_samples'])
    for name in ('loss_0_1', 'loss_1_0'):
        torch.testing.assert_close(losses[name], expected[name])
    (losses['loss_0_1'] + losses['loss_1_0']).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_features_are_those_of_both_encoders() -> None:
    model = build().eval()
    inputs = model.data_preprocessor(views(3, num_views=1))['inputs']
    features: Tensor = model.extract_feat(inputs)
    parts = [model.backbone.backbones[0](inputs[0][:, :1])[-1].mean((2, 3))]
    parts.append(model.backbone.backbones[1](inputs[0][:, 1:])[-1].mean((2, 3)))
    torch.testing.assert_close(features, torch.cat(parts, dim=1))
    assert features.shape == (3, model.backbone.out_channels)


def test_one_channel_resnets_have_the_other_weights_of_the_rest() -> None:
    for stem, width in (('small', 1.0), ('imagenet', 1.0), ('imagenet', 0.5)):
        net = MODELS.build(dict(type='ResNet', depth=10, width=width, stem=stem, in_channels=2))
        assert isinstance(net.conv1, nn.Conv2d) and net.conv1.weight.shape[1] == 2
    with pytest.raises(ValueError, match='in_channels is 0'):
        MODELS.build(dict(type='ResNet', in_channels=0))


def test_bad_arrangements() -> None:
    with pytest.raises(ValueError, match='gives 2 embeddings of width 8 but the head has 2.*7'):
        bank = dict(type='InstanceBank', length=10, dim=7)
        build(head=dict(type='CrossViewHead', memories=[bank, bank], num_negatives=5))
    with pytest.raises(ValueError, match='backbones holds 1; expected at least two'):
        SplitBackbone([dict(type='ResNet', depth=10)])
    with pytest.raises(ValueError, match='takes 1 views of each image, got 2'):
        model = build()
        model(**model.data_preprocessor(views(3)), mode='loss')
    with pytest.raises(ValueError, match=r'images of 4 channels for backbones that take \[1, 2\]'):
        build().backbone(torch.zeros(2, 4, 8, 8))
