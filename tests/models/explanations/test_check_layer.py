"""A layer that cannot be explained is refused before anything is computed with it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms import InBatchContrast
from mochi_mm.models.explanations import check_layer


class Net(nn.Module):
    """A convolution, one activation that is used twice, a layer that nobody uses."""

    out_channels = 4

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
        self.pool, self.unused = nn.Flatten(2), nn.Conv2d(4, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.act(self.norm(self.act(self.conv(images))))
        return self.pool(maps).mean(2)


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('act', 'the layer ReLU is used 2 times'),
        ('unused', 'the layer Conv2d is used 0 times'),
        ('pool', r'the layer Flatten gives \(1, 4, 900\)'),
        ('none', "layer is 'none'"),
    ],
)
def test_layers_that_are_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_layer(InBatchContrast(Net()), name)


def test_the_model_is_left_as_it_was() -> None:
    model = InBatchContrast(Net()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    assert check_layer(model, 'conv') is model.backbone.conv
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), state) and not model.backbone.conv._forward_hooks
