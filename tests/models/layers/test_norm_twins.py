"""Other batch norms in a module: its own stay as they are, all else is shared."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mochi_mm.models.layers.norm_twins import NormTwins


def module() -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4)))
    for norm in (made[1], made[2][0]):
        nn.init.normal_(norm.weight, 1, 0.1)
    return made


def test_it_is_the_module_with_norms_of_its_own() -> None:
    """Two steps, alternating with the module itself, equal a module that has only these norms."""
    shared, alone = module(), module()
    twins, before = NormTwins(shared), copy.deepcopy(shared.state_dict())
    images = 3 + 2 * torch.randn(2, 5, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    for batch in images:
        found, expected = twins.around(shared)(batch), alone(batch)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
    found.square().sum().backward()
    expected.square().sum().backward()
    after = shared.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert torch.equal(shared[0].weight.grad, alone[0].weight.grad)
    assert shared[1].weight.grad is None
    own = dict(twins.named_parameters()) | dict(twins.named_buffers())
    assert torch.equal(own['1__weight'].grad, alone[1].weight.grad)
    for name, value in alone.state_dict().items():
        if not name.startswith('0.'):
            assert torch.equal(own[name.replace('.', '__')], value), name
    shared.eval(), alone.eval()  # the statistics that were gathered
    torch.testing.assert_close(twins.around(shared)(images[0]), alone(images[0]), rtol=0, atol=0)
    twins.copy_from(shared)
    torch.testing.assert_close(twins.around(shared)(images[0]), shared(images[0]))


def test_without_a_norm_there_is_nothing_apart() -> None:
    with pytest.raises(ValueError, match='Conv2d has no batch norm, so separate statistics'):
        NormTwins(nn.Conv2d(3, 4, 3))
