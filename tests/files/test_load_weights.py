"""One loader for all doors: kinds of files, images of the training, words of refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.engine.initializers.pretrained import Pretrained
from mochi_mm.files.architecture import DEPTHS
from mochi_mm.files.load_weights import load_backbone, load_for_test
from mochi_mm.models.backbones.resnet import ARCHITECTURES, ResNet
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import build_moco, moco_config

TOY: dict[str, Any] = dict(depth=10, width=0.125, stem='small')
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
ONE = torch.zeros(1)


def network(seed: int = 1, **settings: Any) -> ResNet:
    torch.manual_seed(seed)
    net = ResNet(**{**TOY, **settings})
    net.train()(torch.randn(4, settings.get('in_channels', 3), 16, 16) * 3 + 1)
    return net


def behind(prefix: str, net: nn.Module, **others: Tensor) -> dict[str, Tensor]:
    return {**{prefix + name: value for name, value in net.state_dict().items()}, **others}


def recorded(net: nn.Module, **changes: Any) -> dict[str, Any]:
    record = dict(mean=MEAN, std=STD, channel_order='rgb', backbone=TOY, algorithm='MoCo')
    return dict(state_dict=behind('backbone.', net), meta=dict(mochi_mm={**record, **changes}))


FILES: dict[str, Callable[[nn.Module], Any]] = {
    'ours': recorded,
    'ours, in a wrapper': lambda net: dict(state_dict=behind('module.backbone.', net)),
    'ours, compiled': lambda net: dict(state_dict=behind('backbone._orig_mod.', net)),
    'under model': lambda net: dict(model=behind('module.backbone.', net)),
    'under model_state_dict': lambda net: dict(model_state_dict=behind('', net), epoch=3),
    'official MoCo': lambda net: dict(
        state_dict=behind(
            'module.encoder_q.',
            net,
            **behind('module.encoder_k.', network(9)),
            **{'module.queue': ONE},
        )
    ),
    'lightly': lambda net: dict(
        state_dict=behind('backbone.', net, **{'projection_head.layers.0.weight': ONE})
    ),
    'solo-learn': lambda net: dict(
        state_dict=behind('backbone.', net, **{'projector.0.weight': ONE})
    ),
    'VISSL': lambda net: dict(
        classy_state_dict=dict(base_model=dict(model=dict(trunk=behind('_feature_blocks.', net))))
    ),
    'mmselfsup': lambda net: dict(state_dict=behind('backbone.', net, **{'encoder_k.0.x': ONE})),
    'torchvision': lambda net: behind('', net, **{'fc.weight': ONE, 'fc.bias': ONE}),
    'before torch 0.4.1': lambda net: {
        n: t for n, t in net.state_dict().items() if not n.endswith('num_batches_tracked')
    },
}


def save(folder: Path, content: Any) -> Path:
    torch.save(content, folder / 'weights.pth')
    return folder / 'weights.pth'


def assert_backbone(found: nn.Module, net: nn.Module) -> None:
    for name, value in net.state_dict().items():
        if not name.endswith('num_batches_tracked'):
            assert torch.equal(found.state_dict()[name], value), name


@pytest.mark.parametrize('kind', FILES)
def test_every_kind_of_file_through_every_door(tmp_path: Path, kind: str) -> None:
    """kNN and probe, a test of features, and ``init_cfg``; the detector has a test of its own."""
    net = network()
    path = save(tmp_path, FILES[kind](net))
    model = build_moco(seed=2)
    neck = model.neck.layers[0].weight.clone()
    assert 'backbone loaded from' in load_backbone(model, path)
    assert_backbone(model.backbone, net)
    assert torch.equal(model.neck.layers[0].weight, neck)
    alone = MODELS.build(dict(type='ResNet', **TOY))
    load_backbone(alone, path)
    assert_backbone(alone, net)
    part = MODELS.build(dict(type='ResNet', **TOY))
    Pretrained(str(path))(part)
    assert_backbone(part, net)
    only = nn.ModuleDict(dict(backbone=MODELS.build(dict(type='ResNet', **TOY))))
    load_for_test(only, path)
    assert_backbone(only['backbone'], net)


def test_timm_networks(tmp_path: Path) -> None:
    """With the names of timm, of our checkpoint, and of our backbone file."""
    pytest.importorskip('timm', reason='timm is not installed')
    config = dict(
        type='TimmBackbone', model_name='vit_tiny_patch16_224', model_kwargs=dict(depth=1)
    )
    torch.manual_seed(1)
    source = MODELS.build(config)
    bare = {name.removeprefix('timm.'): value for name, value in source.state_dict().items()}
    for content in (
        bare,
        source.state_dict(),
        behind('backbone.', source),
        dict(bare, **{'head.weight': ONE}),
    ):
        torch.manual_seed(2)
        model = MODELS.build(config)
        load_backbone(model, save(tmp_path, content))
        assert_backbone(model, source)


def test_a_larger_network_is_refused(tmp_path: Path) -> None:
    """All names and shapes of the smaller one are in it; features would mean nothing."""
    model = build_moco()
    path = save(tmp_path, network(depth=18).state_dict())
    with pytest.raises(ValueError, match=r'more blocks in layer1.*holds ResNet-18 .*ResNet-10'):
        load_backbone(model, path)
    more = network().state_dict()
    more['layer1.0.se.weight'] = ONE
    with pytest.raises(ValueError, match=r'1 weights in these parts .* first layer1\.0\.se'):
        load_backbone(model, save(tmp_path, more))


def test_the_depths_are_those_of_our_networks() -> None:
    assert {
        (block.expansion == 4, depth): layers for depth, (block, layers) in ARCHITECTURES.items()
    } == DEPTHS


CONTRADICTIONS = [
    (dict(mean=[1.0, 2.0, 3.0]), r'mean: trained with 1 2 3, the config uses 123\.675 116\.28'),
    (dict(std=[1.0, 2.0, 3.0]), r'std: trained with 1 2 3, the config uses 58\.395'),
    (dict(channel_order='bgr'), 'trained on bgr, the config feeds rgb'),
    (dict(channel_order='lab'), 'trained on lab, the config feeds rgb'),
    (dict(mean=None, std=None), 'mean: trained with 0 0 0, the config uses'),
]


@pytest.mark.parametrize(('change', 'message'), CONTRADICTIONS, ids=str)
def test_other_images_are_refused_unless_allowed(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    net, model = network(), build_moco()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    path = save(tmp_path, recorded(net, **change))
    with pytest.raises(ValueError, match=f'contradicts .*{message}.*--allow-other-input') as error:
        load_backbone(model, path)
    assert 'recorded in the file' in str(error.value)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert 'Allowed: the config contradicts' in load_backbone(model, path, allow_other_input=True)
    assert_backbone(model.backbone, net)


def test_a_whole_model_is_asked_too(tmp_path: Path) -> None:
    model = build_moco()
    content = dict(recorded(network(), mean=[1.0, 2.0, 3.0]), state_dict=model.state_dict())
    path = save(tmp_path, content)
    with pytest.raises(ValueError, match='mean: trained with 1 2 3'):
        load_for_test(model, path)
    assert 'Allowed' in load_for_test(model, path, allow_other_input=True)


def test_a_file_without_a_record_is_known_by_its_origin(tmp_path: Path) -> None:
    gray = dict(type='ViewDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3)
    model = MODELS.build(moco_config(data_preprocessor=gray))
    path = save(tmp_path, dict(state_dict=behind('module.encoder_q.', network())))
    with pytest.raises(ValueError, match=r'not recorded in the file.*mean: trained with 123\.675'):
        load_backbone(model, path)
    load_backbone(model, save(tmp_path, dict(state_dict=behind('backbone.', network()))))


def test_weights_that_are_not_finite_are_named(tmp_path: Path) -> None:
    model = build_moco()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    state['head.memory.features'][3, 2] = float('nan')
    path = save(tmp_path, dict(state_dict=state))
    with pytest.raises(ValueError, match=r'weights\.pth: head\.memory\.features holds NaN'):
        load_for_test(model, path)


def test_two_names_that_become_one(tmp_path: Path) -> None:
    path = save(tmp_path, behind('backbone.', network(), **behind('module.backbone.', network(2))))
    with pytest.raises(ValueError, match=r'144 weights have 72 names once module\.'):
        load_backbone(build_moco(), path)


def test_a_part_with_a_prefix(tmp_path: Path) -> None:
    net = network()
    path = save(tmp_path, dict(state_dict=behind('module.key_encoder.backbone.', net)))
    part = MODELS.build(dict(type='ResNet', **TOY))
    Pretrained(str(path), prefix='key_encoder.backbone')(part)
    assert_backbone(part, net)
    with pytest.raises(ValueError, match=r'does not cover ResNet: no weight.*set prefix'):
        Pretrained(str(path), prefix='backbone')(part)
