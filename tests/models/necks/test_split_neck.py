"""One neck for each part of the features."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mochi_mm.models.necks import MLPNeck, SplitNeck


def test_split_neck_gives_each_part_its_neck() -> None:
    necks = [MLPNeck(3, out_channels=4, num_layers=1), MLPNeck(5, out_channels=4)]
    split = SplitNeck(necks)
    x = torch.randn(2, 8)
    assert (split.in_channels, split.out_channels) == (8, 4)
    expected = torch.stack([necks[0](x[:, :3]), necks[1](x[:, 3:])], dim=1)
    assert torch.equal(split(x), expected)
    assert sum(isinstance(m, nn.Linear) for m in split.modules()) == 3


def test_split_neck_refuses() -> None:
    for necks in ([MLPNeck(3)], [MLPNeck(3), MLPNeck(3, out_channels=5)]):
        with pytest.raises(ValueError, match='at least two, all of one width'):
            SplitNeck(necks)
