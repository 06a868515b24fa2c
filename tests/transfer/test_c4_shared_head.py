"""The shared head is the backbone's last stage and one norm."""

from __future__ import annotations

import pytest
import torch
from torch import nn

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.models.backbones import ResNet
from mochi_mm.transfer import C4SharedHead


@pytest.mark.parametrize(('depth', 'width', 'channels'), [(10, 0.25, 128), (50, 0.125, 256)])
def test_equals_the_last_stage_and_a_norm(depth: int, width: float, channels: int) -> None:
    net, head = ResNet(depth, width, out_indices=(2, 3)).eval(), C4SharedHead(depth, width)
    head.layer4.load_state_dict(net.layer4.state_dict())
    maps, last = net(torch.randn(3, 3, 64, 64))
    assert head.out_channels == channels == last.shape[1]
    head.eval().norm.train()
    found = head(maps)
    mean = last.mean((0, 2, 3), keepdim=True)
    deviation = (last.var((0, 2, 3), correction=0, keepdim=True) + head.norm.eps).sqrt()
    torch.testing.assert_close(found, (last - mean) / deviation, rtol=1e-4, atol=1e-4)


def test_names_are_those_of_the_checkpoint() -> None:
    head = C4SharedHead(10, 0.25).state_dict()
    net = ResNet(10, 0.25).state_dict()
    stage = {name for name in net if name.startswith('layer4.')}
    assert {name for name in head if not name.startswith('norm.')} == stage
    assert all(head[name].shape == net[name].shape for name in stage)


def test_without_the_norm() -> None:
    head = C4SharedHead(10, 0.25, extra_norm=False)
    assert isinstance(head.norm, nn.Identity) and not any('norm.' in n for n in head.state_dict())
