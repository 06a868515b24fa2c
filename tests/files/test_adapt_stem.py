"""Weights of three channels in a network of another number: only when asked, by a stated rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.engine.hooks.pretrained_hook import PretrainedHook
from mochi_mm.engine.initializers.pretrained import Pretrained
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import moco_config

TOY: dict[str, Any] = dict(depth=10, width=0.125, stem='small')


@pytest.fixture(scope='module')
def public(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResNet, Path]:
    torch.manual_seed(3)
    net = ResNet(**TOY)
    net.train()(torch.randn(4, 3, 16, 16))
    path = tmp_path_factory.mktemp('public') / 'resnet.pth'
    torch.save(net.state_dict(), path)
    return net.eval(), path


def model_of(channels: int) -> Any:
    config = moco_config()
    config['backbone'] = dict(TOY, type='ResNet', in_channels=channels)
    config['data_preprocessor'] = dict(
        type='ViewDataPreprocessor', mean=[100.0] * channels, std=[50.0] * channels
    )
    return MODELS.build(config)


@pytest.mark.parametrize('channels', [1, 2, 4, 7])
def test_the_mean_of_three(channels: int, public: tuple[ResNet, Path]) -> None:
    net, path = public
    model = model_of(channels)
    with pytest.raises(
        ValueError, match=rf"of 3 channels, the model of {channels}.*adapt_stem='mean'"
    ):
        load_backbone(model, path)
    report = load_backbone(model, path, stem='mean')
    assert f'conv1.weight: the mean of 3 channels in each of {channels}, times 3' in report
    made, theirs = model.backbone.conv1.weight.detach(), net.conv1.weight.detach()
    for out in range(made.shape[0]):
        for y in range(3):
            for x in range(3):
                wanted = sum(float(theirs[out, c, y, x]) for c in range(3)) / channels
                for c in range(channels):
                    assert float(made[out, c, y, x]) == pytest.approx(wanted, rel=1e-5, abs=1e-8)
    # An image whose channels are alike gives what a gray one gives.
    gray = torch.randn(2, 1, 16, 16)
    ours = model.backbone.eval()(gray.expand(-1, channels, -1, -1))[-1]
    torch.testing.assert_close(ours, net(gray.expand(-1, 3, -1, -1))[-1], rtol=1e-4, atol=1e-5)
    key = model.key_encoder['backbone'].conv1.weight
    torch.testing.assert_close(key, made, rtol=0, atol=0)


def test_from_a_config(public: tuple[ResNet, Path]) -> None:
    net, path = public
    alone = ResNet(**TOY, in_channels=5)
    Pretrained(str(path), adapt_stem='mean')(alone)
    mean = net.conv1.weight.mean(1) * 3 / 5
    torch.testing.assert_close(alone.conv1.weight[:, 4], mean, rtol=1e-6, atol=1e-8)
    with pytest.raises(ValueError, match="adapt_stem is 'sum'; expected one of mean"):
        PretrainedHook(adapt_stem='sum')


def test_where_there_is_nothing_to_adapt(public: tuple[ResNet, Path], tmp_path: Path) -> None:
    _, path = public
    with pytest.raises(ValueError, match='has 0 weights that differ .* in their channels alone'):
        load_backbone(model_of(3), path, stem='mean')
    other = ResNet(**TOY, in_channels=4)
    torch.save(other.state_dict(), tmp_path / 'four.pth')
    with pytest.raises(ValueError, match='has 0 weights that differ'):
        load_backbone(model_of(2), tmp_path / 'four.pth', stem='mean')


def test_a_timm_backbone(tmp_path: Path) -> None:
    pytest.importorskip('timm')
    small = dict(type='TimmBackbone', model_name='vit_tiny_patch16_224')
    size = dict(img_size=32, depth=1, embed_dim=24, num_heads=2)
    net = MODELS.build(dict(small, model_kwargs=size))
    torch.save({f'backbone.{n}': t for n, t in net.state_dict().items()}, tmp_path / 'vit.pth')
    wide = MODELS.build(dict(small, model_kwargs=dict(size, in_chans=4)))
    assert wide.in_channels == 4
    report = load_backbone(wide, tmp_path / 'vit.pth', stem='mean')
    assert 'patch_embed.proj.weight: the mean of 3 channels' in report
    mean = net.timm.patch_embed.proj.weight.mean(1) * 3 / 4
    torch.testing.assert_close(wide.timm.patch_embed.proj.weight[:, 2], mean, rtol=1e-6, atol=1e-8)
