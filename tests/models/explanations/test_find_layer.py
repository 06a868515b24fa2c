"""A layer by its name, and what is said where there is none."""

from __future__ import annotations

import pytest
from torch import nn

from mochi_mm.models.explanations import find_layer

NET = nn.Sequential()
NET.add_module('conv', nn.Conv2d(3, 4, 3))
NET.add_module('stage', nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()))


def test_it_is_found() -> None:
    assert find_layer(NET, 'conv') is NET.conv and find_layer(NET, 'stage.0') is NET.stage[0]


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('conv3', "layer is 'conv3', which Sequential does not have; Sequential has conv, stage"),
        ('stage.9.conv', 'Sequential.stage has 0, 1'),
        ('conv.weight', 'Sequential.conv has no layers'),
        ('', "layer is '', which"),
        (3, 'layer is 3, which'),
    ],
)
def test_what_is_there_instead(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_layer(NET, name)
