"""A timm model starts as timm made it, or as MoCo-v3 does; what is frozen stays as it began."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mochi_mm.models.algorithms import MoCo
from mochi_mm.models.backbones import TimmBackbone
from mochi_mm.models.backbones.timm_backbone import sincos_positions
from mochi_mm.models.heads import KeyBatchHead
from mochi_mm.models.necks import MLPNeck
from mochi_mm.registry import MODELS

timm = pytest.importorskip('timm', reason='timm is not installed')

VIT = 'vit_tiny_patch16_224'


def vit(model_kwargs: Any = None, **settings: Any) -> Any:
    small = dict(embed_dim=16, depth=1, num_heads=2, img_size=8, patch_size=4)
    return TimmBackbone(VIT, {**small, **(model_kwargs or {})}, **settings)


def test_loaded_weights_stay_when_the_model_is_initialized(tmp_path: Path) -> None:
    trained = TimmBackbone('resnet10t')
    for file in ('weights.pth', 'weights of a run.pth'):
        state = trained.timm.state_dict()
        torch.save(state if file == 'weights.pth' else dict(state_dict=state), tmp_path / file)
        loaded = TimmBackbone('resnet10t', dict(checkpoint_path=str(tmp_path / file)))
        loaded.init_weights()
        for name, value in loaded.timm.state_dict().items():
            assert torch.equal(value, state[name]), name


def test_how_timm_draws_can_be_chosen() -> None:
    """The last norm of a block begins at zero, unless timm is told otherwise."""
    for zero in (True, False):
        model = TimmBackbone('resnet10t', dict(zero_init_last=zero))
        model.init_weights()
        assert bool((model.timm.layer1[0].bn2.weight == 0).all()) == zero


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'absent\.pth'):
        TimmBackbone('resnet10t', dict(checkpoint_path=str(tmp_path / 'absent.pth')))


def test_is_the_network_of_timm() -> None:
    net = MODELS.build(dict(type='TimmBackbone', model_name='resnet10t')).eval()
    images = torch.randn(2, 3, 64, 64)
    (features,) = net(images)
    assert features.shape == (2, net.out_channels)
    theirs = timm.create_model('resnet10t', num_classes=0).eval()
    theirs.load_state_dict(net.timm.state_dict())
    torch.testing.assert_close(features, theirs(images))
    with pytest.raises(ValueError, match="'resnet10x'.*nearest names"):
        MODELS.build(dict(type='TimmBackbone', model_name='resnet10x'))


@pytest.mark.parametrize(('height', 'width', 'dim'), [(3, 3, 8), (2, 5, 12), (1, 1, 4)])
def test_positions_are_sines_of_row_and_column(height: int, width: int, dim: int) -> None:
    table = sincos_positions(height, width, dim)
    assert table.shape == (height * width, dim) and table.dtype == torch.float32
    quarter = dim // 4
    for row in range(height):
        for column in range(width):
            for d in range(quarter):
                wave = 1 / 10000 ** (d / quarter)
                found = table[row * width + column, d::quarter].tolist()
                angles = (row * wave, column * wave)
                wanted = [f(angle) for angle in angles for f in (math.sin, math.cos)]
                assert found == pytest.approx(wanted, abs=1e-7)
    with pytest.raises(ValueError, match='dim is 6; expected a multiple of 4'):
        sincos_positions(2, 2, 6)


@pytest.mark.parametrize(('tokens', 'kwargs'), [(1, {}), (0, dict(no_embed_class=True))])
def test_the_table_is_that_of_the_patches_in_their_order(tokens: int, kwargs: Any) -> None:
    """Row by row, as the patches of an image come; zero for the class token."""
    model = vit(dict(img_size=(8, 12), **kwargs), positions='sincos')
    table = model.timm.pos_embed
    assert not table.requires_grad and bool((table[0, :tokens] == 0).all())
    assert torch.equal(table[0, tokens:], sincos_positions(2, 3, 16))
    image = torch.zeros(1, 3, 8, 12)
    image[:, :, 4:, 4:8] = 1  # the patch in row 1, column 1
    moved = (model.timm.patch_embed(image) - model.timm.patch_embed(0 * image)).norm(dim=-1)
    assert moved[0].nonzero().flatten().tolist() == [1 * 3 + 1]
    assert torch.equal(vit().timm.pos_embed == 0, torch.zeros(1, 5, 16, dtype=torch.bool))


def test_patches_are_drawn_as_a_linear_layer() -> None:
    projection = vit(dict(embed_dim=64), xavier_patches=True).timm.patch_embed.proj
    bound = math.sqrt(6 / (3 * 4 * 4 + 64))
    assert 0.98 * bound < float(projection.weight.detach().abs().max()) <= bound
    assert bool((projection.bias == 0).all())
    model = vit(dict(weight_init='moco'), xavier_patches=True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.init_weights()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_is_frozen_stays_in_both_encoders() -> None:
    """Under weight decay on everything else, through steps and averages."""
    init_default_scope('mochi_mm')
    torch.manual_seed(0)
    model = MoCo(
        vit(frozen=('patch_embed',), positions='sincos'),
        MLPNeck(16, out_channels=8, norm='all'),
        KeyBatchHead(),
        predictor=MLPNeck(8, 8, 8, norm='all'),
        online_views=(0, 1),
        target_views=(0, 1),
        batch_shuffle='none',
    )
    model.init_weights()
    model.train()
    settings = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.1))
    optimizer = build_optim_wrapper(model, settings).optimizer
    before = {name: value.clone() for name, value in model.named_parameters()}
    for _ in range(2):
        views = [torch.randn(6, 3, 8, 8) for _ in range(2)]
        loss = model(views, {}, mode='loss')['loss_contrast']
        assert math.isfinite(float(loss))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.update_ema()
    stems = [name for name in before if '.patch_embed.' in name or name.endswith('.pos_embed')]
    assert len(stems) == 6
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]) == (name in stems), name
        trained = name not in stems and not name.startswith('key_encoder.')
        assert (value.grad is not None) == (value in optimizer.state) == trained, name


def test_frozen_norms_keep_their_statistics() -> None:
    model = TimmBackbone('resnet10t', frozen=('conv1', 'bn1', 'layer1.0.bn1'))
    model.train()
    before = {name: value.clone() for name, value in model.timm.named_buffers()}
    model(torch.randn(2, 3, 64, 64))
    frozen = ('conv1.', 'bn1.', 'layer1.0.bn1.')
    for name, value in model.timm.named_buffers():
        assert torch.equal(value, before[name]) == name.startswith(frozen), name


@pytest.mark.parametrize(
    ('settings', 'problem'),
    [
        (dict(frozen=('patch',)), "frozen names 'patch', but no parameter .* patch_embed"),
        (dict(frozen=('',)), "frozen names ''"),
        (dict(positions='learned'), "positions is 'learned'; expected one of timm, sincos"),
        (dict(model_name='resnet10t', positions='sincos'), 'resnet10t has no table'),
        (dict(model_name='resnet10t', xavier_patches=True), 'does not project patches'),
        (dict(model_kwargs=dict(pos_embed='none'), positions='sincos'), 'has no table'),
    ],
)
def test_settings_that_have_nothing_to_act_on(settings: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        TimmBackbone(**{'model_name': VIT, **settings})


@pytest.mark.parametrize('settings', [dict(positions='sincos'), dict(xavier_patches=True)])
def test_loaded_weights_are_not_drawn_over(settings: Any, tmp_path: Path) -> None:
    torch.save(vit().timm.state_dict(), tmp_path / 'vit.pth')
    with pytest.raises(ValueError, match='would take the place of the weights'):
        vit(dict(checkpoint_path=str(tmp_path / 'vit.pth')), **settings)
    loaded = vit(dict(checkpoint_path=str(tmp_path / 'vit.pth')), frozen=('pos_embed',))
    assert not loaded.timm.pos_embed.requires_grad


def test_pooling_is_timms() -> None:
    images = torch.randn(2, 3, 8, 8)
    token = vit().eval()
    assert torch.equal(token(images)[0], token.timm.forward_features(images)[:, 0])
    mean = vit(dict(global_pool='avg')).eval()
    patches = mean.timm.forward_features(images)[:, 1:].mean(1)
    assert torch.equal(mean(images)[0], mean.timm.fc_norm(patches))


def test_sizes_of_images() -> None:
    """The one that the model is made for, or any; another is refused with what to do."""
    one, many = vit(), vit(dict(dynamic_img_size=True))
    assert (one.image_size, one.any_size) == ((8, 8), False)
    assert (many.image_size, many.any_size) == ((8, 8), True)
    assert many(torch.randn(1, 3, 12, 16))[0].shape == (1, 16)
    convolutions = TimmBackbone('resnet10t')
    assert (convolutions.image_size, convolutions.any_size) == (None, True)
    attention = TimmBackbone('levit_128s')
    assert (attention.image_size, attention.any_size) == ((224, 224), False)
    with pytest.raises(ValueError, match=r'\(12, 16\) pixels .* \(8, 8\) alone; .*img_size'):
        one(torch.randn(1, 3, 12, 16))
