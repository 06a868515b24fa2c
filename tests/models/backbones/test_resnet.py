"""The backbone is torchvision's network, under torchvision's names."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet18, resnet50

from mochi_mm.models.backbones import ResNet


@pytest.mark.parametrize(('depth', 'reference'), [(18, resnet18), (50, resnet50)])
def test_equals_torchvision(depth: int, reference: type) -> None:
    """Keys unchanged, and the same map from the same weights: stride in the 3x3 included."""
    theirs = reference(weights=None).eval()
    ours = ResNet(depth, out_indices=(0, 1, 2, 3)).eval()
    missing, unexpected = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert missing == [] and unexpected == ['fc.weight', 'fc.bias']
    images = torch.randn(1, 3, 64, 64)
    maps = ours(images)
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(images))))
    for stage, layer in enumerate((theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4)):
        x = layer(x)
        torch.testing.assert_close(maps[stage], x)
    assert ours.out_channels == maps[-1].shape[1] == ours.stage_channels[-1]


def test_initialization_is_torchvisions() -> None:
    torch.manual_seed(0)
    ours = ResNet(18)
    torch.manual_seed(0)
    theirs = resnet18(weights=None)
    for name in ('layer1.0.conv1.weight', 'layer4.1.conv2.weight'):
        a, b = ours.state_dict()[name], theirs.state_dict()[name]
        assert float(a.std()) == pytest.approx(float(b.std()), rel=0.05)


@pytest.mark.parametrize('width', [0.25, 0.5, 2])
@pytest.mark.parametrize('stem', ['imagenet', 'small'])
def test_width_scales_every_layer(width: float, stem: str) -> None:
    net = ResNet(10, width=width, stem=stem, out_indices=(0, 1, 2, 3))
    maps = net(torch.randn(2, 3, 32, 32))
    channels = [round(64 * 2**i * width) for i in range(4)]
    first = 32 if stem == 'small' else 8
    assert [m.shape[1:] for m in maps] == [
        (c, first >> i, first >> i) for i, c in enumerate(channels)
    ]
    assert net.conv1.weight.shape[0] == net.bn1.num_features == channels[0]
    full = ResNet(10, width=1, stem=stem)
    for name, value in net.named_parameters():
        if value.ndim == 4 and not name.startswith('conv1'):
            assert value.shape[0] == full.state_dict()[name].shape[0] * width, name


@pytest.mark.parametrize('stages', [-1, 0, 2, 4])
def test_frozen_stages(stages: int) -> None:
    net = ResNet(10, width=0.125, frozen_stages=stages).train()
    before = {n: b.clone() for n, b in net.named_buffers()}
    net(torch.randn(2, 3, 64, 64))[-1].sum().backward() if stages < 4 else net(
        torch.randn(2, 3, 64, 64)
    )
    frozen = ('conv1', 'bn1', *(f'layer{i}' for i in range(1, stages + 1))) if stages >= 0 else ()
    for name, parameter in net.named_parameters():
        is_frozen = name.split('.')[0] in frozen
        assert parameter.requires_grad is not is_frozen, name
        assert (parameter.grad is None) is is_frozen, name
    for name, buffer in net.named_buffers():
        if 'running' in name:
            assert torch.equal(buffer, before[name]) is (name.split('.')[0] in frozen), name


def test_norm_eval() -> None:
    net = ResNet(10, width=0.125, norm_eval=True).train()
    before = net.bn1.running_mean.clone()
    net(torch.randn(2, 3, 64, 64))
    assert torch.equal(net.bn1.running_mean, before) and net.bn1.weight.requires_grad


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(depth=20), 'depth is 20; expected one of'),
        (dict(width=0), 'width is 0'),
        (dict(out_indices=(4,)), r'out_indices is \(4,\)'),
        (dict(out_indices=(3, 1)), r'out_indices is \(3, 1\).*expected \(1, 3\)'),
        (dict(frozen_stages=5), 'frozen_stages is 5'),
        (dict(stem='tiny'), "stem is 'tiny'"),
    ],
)
def test_bad_settings(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResNet(**arguments)


def test_the_first_layer_takes_any_number_of_channels() -> None:
    for stem, width in (('small', 1.0), ('imagenet', 1.0), ('imagenet', 0.5)):
        net = ResNet(10, width=width, stem=stem, in_channels=2)
        assert net.conv1.weight.shape[1] == 2
        assert net(torch.randn(2, 2, 32, 32))[-1].shape[1] == net.out_channels
    with pytest.raises(ValueError, match='in_channels is 0'):
        ResNet(in_channels=0)
