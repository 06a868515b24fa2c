"""Files of every known origin load into a detector, which then computes the same features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mochi_mm.transfer.weights.load_detector import load_detector
from tests.models.algorithms.toy import build_moco
from tests.transfer.weights.toy import Detector, network, prefixed, save

ONE = torch.zeros(1)


def numbered(net: nn.Module) -> nn.Sequential:
    """As in lightly's examples: the children of torchvision's network without the classifier."""
    names = ('conv1', 'bn1', 'relu', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4')
    return nn.Sequential(*[getattr(net, name) for name in names])


def moco(net: nn.Module) -> dict[str, Any]:
    weights = prefixed(net, 'module.encoder_q.', **{'module.encoder_q.fc.0.weight': ONE})
    weights |= prefixed(network(seed=9), 'module.encoder_k.', **{'module.queue': ONE})
    return dict(epoch=200, arch='resnet50', state_dict=weights, optimizer=dict(state={}))


def ours(net: nn.Module) -> dict[str, Any]:
    model = build_moco(backbone=dict(type='ResNet', depth=10, width=0.125))
    model.backbone.load_state_dict(net.state_dict())
    return dict(state_dict=model.state_dict(), meta=dict(epoch=1), message_hub={})


FILES: dict[str, tuple[str, Callable[[nn.Module], Any]]] = {
    'ours': ('mochi_mm', ours),
    'ours, in a wrapper': (
        'mochi_mm',
        lambda net: {f'module.{k}': v for k, v in ours(net)['state_dict'].items()},
    ),
    'ours, compiled': (
        'mochi_mm',
        lambda net: prefixed(net, 'backbone._orig_mod.', **{'key_encoder.backbone.x': ONE}),
    ),
    'ours on timm': ('timm backbone', lambda net: dict(state_dict=prefixed(net, 'backbone.timm.'))),
    'ours, the backbone alone': ('bare weights', lambda net: net.state_dict()),
    'MoCo': ('official MoCo or MoCHi', moco),
    'lightly, examples': (
        'lightly',
        lambda net: dict(
            state_dict=prefixed(
                numbered(net),
                'backbone.',
                **prefixed(numbered(network(9)), 'backbone_momentum.'),
                **{'projection_head.layers.0.weight': ONE},
            )
        ),
    ),
    'lightly, benchmarks': (
        'lightly',
        lambda net: dict(
            state_dict=prefixed(net, 'backbone.', **prefixed(network(9), 'query_backbone.'))
        ),
    ),
    'solo-learn': (
        'solo-learn',
        lambda net: dict(
            state_dict=prefixed(
                net,
                'backbone.',
                **prefixed(network(9), 'momentum_backbone.'),
                **{'projector.0.weight': ONE, 'classifier.weight': ONE, 'queue': ONE},
            )
        ),
    ),
    'solo-learn, old': (
        'solo-learn before',
        lambda net: dict(state_dict=prefixed(net, 'encoder.', **{'classifier.weight': ONE})),
    ),
    'VISSL': (
        'VISSL',
        lambda net: dict(
            classy_state_dict=dict(
                base_model=dict(model=dict(trunk=prefixed(net, '_feature_blocks.'), heads={}))
            )
        ),
    ),
    'mmselfsup': (
        'an mm library',
        lambda net: dict(state_dict=prefixed(net, 'backbone.', **{'encoder_k.0.x': ONE})),
    ),
    'torchvision': (
        'bare weights',
        lambda net: prefixed(net, '', **{'fc.weight': ONE, 'fc.bias': ONE}),
    ),
    'timm training script': (
        'bare weights',
        lambda net: dict(epoch=1, arch='resnet', state_dict=prefixed(net, '')),
    ),
}


@pytest.mark.parametrize('c4', [True, False], ids=['c4', 'fpn'])
@pytest.mark.parametrize('kind', FILES)
def test_the_detector_computes_what_the_network_computed(
    kind: str, c4: bool, tmp_path: Path
) -> None:
    name, write = FILES[kind]
    net = network(seed=1)
    images = torch.randn(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    expected = net(images)[0]
    detector = Detector(c4).eval()
    before = {k: v.clone() for k, v in detector.state_dict().items()}
    report = load_detector(detector, save(tmp_path, write(net)))
    assert name in report.origin
    assert torch.equal(detector.features(images), expected)
    for key, value in detector.state_dict().items():  # what is the detector's own stays
        if not key.startswith('backbone.') and '.layer4.' not in key:
            assert torch.equal(value, before[key]), key


@pytest.mark.parametrize('origin', ['torchvision', 'timm'])
def test_real_resnet50_into_mmdets_own_backbone(origin: str, tmp_path: Path) -> None:
    from mmdet.models.backbones import ResNet as DetResNet

    if origin == 'timm':
        timm = pytest.importorskip('timm', reason='timm is not installed')
        net = timm.create_model('resnet50')
    else:
        from torchvision.models import resnet50

        net = resnet50()
    detector = Detector(c4=False)
    detector.backbone = DetResNet(depth=50, norm_eval=False)
    report = load_detector(detector, save(tmp_path, net.state_dict()))
    assert report.matched == dict(backbone=318)
    assert report.unused == dict(fc=2)
    assert 'ResNet-50 (3-4-6-3 bottleneck blocks), width 1, stem imagenet' in str(report)
    state = net.state_dict()
    for name, value in detector.backbone.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip('safetensors.torch', reason='safetensors is not installed')
    net = network(seed=1)
    safetensors.save_file(net.state_dict(), tmp_path / 'model.safetensors')
    detector = Detector()
    load_detector(detector, tmp_path / 'model.safetensors')
    assert torch.equal(detector.backbone.conv1.weight, net.conv1.weight)
    (tmp_path / 'torn.safetensors').write_bytes(b'1234567890')
    with pytest.raises(ValueError, match='cannot be read as safetensors'):
        load_detector(detector, tmp_path / 'torn.safetensors')
    with pytest.raises(FileNotFoundError, match='no weights at'):
        load_detector(detector, tmp_path / 'none.safetensors')


def test_batch_counters_may_be_absent(tmp_path: Path) -> None:
    """Files of the time before torch 0.4.1 have none."""
    weights: dict[str, Tensor] = {
        name: value
        for name, value in network().state_dict().items()
        if not name.endswith('num_batches_tracked')
    }
    report = load_detector(Detector(), save(tmp_path, weights))
    assert report.counters == 12
    assert '12 batch counters' in str(report)
