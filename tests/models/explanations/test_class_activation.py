"""Grad-CAM of a network: finite differences, captum's, what it leaves alone, refusals."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.models.explanations import class_activation


class Net(nn.Module):
    """Two convolutions, the second followed by an activation in place."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.relu = nn.Conv2d(4, 5, 3, stride=2), nn.ReLU(inplace=True)
        self.fc = nn.Linear(5, 3)
        self.unused = nn.Conv2d(3, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        hidden = torch.tanh(self.norm(self.conv1(images)))
        return self.fc(self.relu(self.conv2(hidden)).mean((2, 3)) ** 2)


IMAGES = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 2, 1, 1])


@pytest.fixture(scope='module')
def net() -> Net:
    return Net().eval()


def test_equals_what_follows_the_layer_in_float64(net: Net) -> None:
    """The gradient by hand, at conv2: dY / dA = 2 fc mean(relu A) / (h w) where A > 0."""
    heat, logits = class_activation(net, net.conv2, IMAGES, LABELS)
    wide = copy.deepcopy(net).double()
    a = wide.conv2(torch.tanh(wide.norm(wide.conv1(IMAGES.double())))).detach()
    mean = a.relu().mean((2, 3))
    assert torch.allclose(logits.double(), wide.fc(mean**2), atol=1e-6)
    for b, label in enumerate(LABELS.tolist()):
        expected = torch.zeros(a.shape[2:], dtype=torch.float64)
        for c in range(5):
            slope = 2 * wide.fc.weight[label, c].detach() * mean[b, c] / a[b, c].numel()
            expected += slope * (a[b, c] > 0).double().mean() * a[b, c]
        assert torch.allclose(heat[b].double(), expected, atol=1e-7)


def test_captum_agrees(net: Net) -> None:
    captum = pytest.importorskip('captum.attr')
    for layer in (net.conv1, net.norm):
        found = class_activation(net, layer, IMAGES, LABELS)[0]
        expected = captum.LayerGradCam(net, layer).attribute(IMAGES, LABELS)
        assert torch.allclose(found, expected[:, 0].detach(), atol=1e-6)


def test_the_predicted_class_is_explained_where_none_is_given(net: Net) -> None:
    predicted = net(IMAGES).argmax(1)
    found = class_activation(net, net.conv1, IMAGES)[0]
    assert torch.equal(found, class_activation(net, net.conv1, IMAGES, predicted)[0])
    assert float(class_activation(net, net.conv1, IMAGES, rectify=True)[0].min()) >= 0.0


def test_nothing_is_left_behind(net: Net) -> None:
    with torch.no_grad():
        heat, logits = class_activation(net, net.conv1, IMAGES, LABELS)
    assert not heat.requires_grad and not logits.requires_grad
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not net.conv1._forward_hooks


def test_refusals(net: Net) -> None:
    with pytest.raises(ValueError, match='the layer Linear gives'):
        class_activation(net, net.fc, IMAGES, LABELS)
    with pytest.raises(ValueError, match='the layer Conv2d is used 0 times'):
        class_activation(net, net.unused, IMAGES, LABELS)
    assert not net.fc._forward_hooks and not net.unused._forward_hooks
