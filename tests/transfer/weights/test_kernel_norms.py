"""Kernels get the norms of fresh ones, and the network computes what it did."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.transfer.weights.kernel_norms import with_fresh_norms
from mochi_mm.transfer.weights.load_detector import load_detector
from tests.transfer.weights.toy import TOY, Detector, network, save


def grown(**settings: int) -> ResNet:
    """A network whose kernels are 1 to 8 times as large as fresh ones, with fitting statistics."""
    net = network(seed=1, **settings)
    with torch.no_grad():
        for i, weight in enumerate(p for p in net.parameters() if p.ndim == 4):
            weight.mul_(1 + i % 8)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    net.train()(torch.randn(8, 3, 64, 64) * 3 + 1)
    return net.eval().double()


@pytest.mark.parametrize('depth', [10, 50])
@pytest.mark.parametrize('training', [False, True])
def test_outputs_are_the_same(depth: int, training: bool) -> None:
    net, fresh = grown(depth=depth), network(seed=2, depth=depth).double()
    scaled, factors = with_fresh_norms(net.state_dict(), fresh.state_dict())
    images = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    fresh.load_state_dict(scaled)
    for module in (*net.modules(), *fresh.modules()):
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1e-20  # what is left of the difference is rounding
    with torch.no_grad():
        (expected,) = net.train(training)(images)
        (found,) = fresh.train(training)(images)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)
    assert len(factors) == sum(p.ndim == 4 for p in net.parameters())


def test_norms_are_those_of_the_fresh_network() -> None:
    net, fresh = grown(), network(seed=2).double().state_dict()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    scaled, factors = with_fresh_norms(net.state_dict(), fresh)
    for name, tensor in before.items():
        assert torch.equal(net.state_dict()[name], tensor), name  # the input is left as it was
        if tensor.ndim == 4:
            assert float(scaled[name].norm()) == pytest.approx(float(fresh[name].norm()))
            torch.testing.assert_close(scaled[name], tensor * factors[name])
        elif 'running' not in name:
            assert torch.equal(scaled[name], tensor), name
    s = factors['layer2.0.downsample.0.weight']
    assert s != pytest.approx(1, abs=0.1)
    name = 'layer2.0.downsample.1.running_'
    torch.testing.assert_close(scaled[name + 'mean'], before[name + 'mean'] * s)
    torch.testing.assert_close(scaled[name + 'var'], before[name + 'var'] * s * s)


def test_a_kernel_that_cannot_be_scaled() -> None:
    fresh = network(seed=2).state_dict()
    with pytest.raises(ValueError, match=r'layer1\.0\.conv2\.weight has the norm 0\.0'):
        with_fresh_norms(
            {**fresh, 'layer1.0.conv2.weight': fresh['layer1.0.conv2.weight'] * 0}, fresh
        )
    bare = {name: t for name, t in fresh.items() if name != 'bn1.running_var'}
    with pytest.raises(ValueError, match=r'conv1\.weight has no bn1\.running_mean and bn1\.run'):
        with_fresh_norms(bare, fresh)


def test_the_loader_scales_on_request_and_says_so(tmp_path: Path) -> None:
    net = grown().float()
    path = save(tmp_path, net.state_dict())
    images = torch.randn(4, 3, 64, 64)
    plain, scaled = Detector(network=TOY), Detector(network=TOY)
    norm = float(scaled.backbone.conv1.weight.detach().norm())
    assert 'kernels' not in str(load_detector(plain, path))
    page = str(load_detector(scaled, path, fresh_norms=True))
    assert torch.equal(plain.backbone.conv1.weight, net.conv1.weight)
    assert float(scaled.backbone.conv1.weight.detach().norm()) == pytest.approx(norm, rel=1e-4)
    assert 'kernels             scaled to the norms of fresh ones, by 0.' in page
    with torch.no_grad():
        expected, found = (d.eval().features(images) for d in (plain, scaled))
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)
