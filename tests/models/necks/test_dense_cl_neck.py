"""DenseCL's second projection is a 1 x 1 convolution of the map; the first is MoCo's."""

from __future__ import annotations

import torch
from torch import nn

from mochi_mm.models.necks import DenseCLNeck, MLPNeck


def test_cells_go_through_convolutions_of_one_pixel() -> None:
    torch.manual_seed(0)
    neck = DenseCLNeck(5, hidden_channels=7, out_channels=3, norm='hidden')
    linear, norm, _, last = neck.dense.layers
    first, second = nn.Conv2d(5, 7, 1, bias=False), nn.Conv2d(7, 3, 1)
    first.weight.data = linear.weight.detach()[..., None, None]
    second.weight.data = last.weight.detach()[..., None, None]
    second.bias.data = last.bias.detach()
    maps = torch.randn(2, 5, 3, 4)
    batch_norm = nn.BatchNorm2d(7)
    expected = second(torch.relu(batch_norm(first(maps)))).flatten(2).transpose(1, 2)
    found = neck.embed_cells(maps.flatten(2).transpose(1, 2))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(norm.running_var, batch_norm.running_var)


def test_the_pooled_part_is_the_plain_neck_under_its_names() -> None:
    torch.manual_seed(0)
    neck, plain = DenseCLNeck(5, out_channels=3), MLPNeck(5, out_channels=3)
    state = {name: v for name, v in neck.state_dict().items() if not name.startswith('dense.')}
    plain.load_state_dict(state)
    pooled = torch.randn(4, 5)
    assert torch.equal(neck(pooled), plain(pooled))
    assert (neck.in_channels, neck.out_channels) == (5, 3)
    # The two do not share weights.
    assert not torch.equal(neck.dense(pooled), plain(pooled))
