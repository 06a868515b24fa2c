"""The network of CIFAR: layers, widths, maps, depths that are none."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mochi_mm.models.backbones import CIFARResNet


@pytest.mark.parametrize(('depth', 'parameters'), [(20, 0.27), (32, 0.46), (56, 0.85)])
def test_as_many_layers_and_weights_as_in_the_paper(depth: int, parameters: float) -> None:
    """Millions of weights of table 6, less the classifier, more the shortcuts."""
    net = CIFARResNet(depth)
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    assert len(layers) == depth - 1  # and the classifier
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(parameters, abs=0.008)


def test_maps() -> None:
    net = CIFARResNet(14, width=4, in_channels=2)
    (found,) = net(torch.randn(2, 2, 32, 32))
    assert found.shape == (2, 16, 8, 8) and net.out_channels == 16
    found.mean().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_settings_that_are_none() -> None:
    for depth in (2, 18, 33):
        with pytest.raises(ValueError, match=f'depth is {depth}; expected 6 n'):
            CIFARResNet(depth)
    with pytest.raises(ValueError, match='width is 0 and in_channels is 3'):
        CIFARResNet(width=0)
