"""Other batch norms in a module: its own stay as they are, all else is shared."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mochi_mm.models.layers.norm_twins import NormTwins

OWNED = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')


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
    assert torch.equal(own['1.weight'].grad, alone[1].weight.grad)
    for name, value in alone.state_dict().items():
        if not name.startswith('0.'):
            assert torch.equal(own[name], value), name
    shared.eval(), alone.eval()  # the statistics that were gathered
    torch.testing.assert_close(twins.around(shared)(images[0]), alone(images[0]), rtol=0, atol=0)
    twins.copy_from(shared)
    torch.testing.assert_close(twins.around(shared)(images[0]), shared(images[0]))


def test_without_a_norm_there_is_nothing_apart() -> None:
    with pytest.raises(ValueError, match='Conv2d holds no batch norm, so separate statistics'):
        NormTwins(nn.Conv2d(3, 4, 3))


def test_a_twin_is_a_norm_of_the_same_name_and_settings() -> None:
    """Whoever looks for norms finds it; it never runs, so that the module's own flags count."""
    shared = module()
    shared[2][0].requires_grad_(False)  # a frozen stage
    twins = NormTwins(shared)
    norms = {n: m for n, m in twins.named_modules() if isinstance(m, nn.BatchNorm2d)}
    assert list(norms) == ['1', '2.0']
    assert [norm.weight.requires_grad for norm in norms.values()] == [True, False]
    assert set(twins.state_dict()) == {n for n in shared.state_dict() if not n.startswith('0.')}
    assert not any(part.training for part in twins.train().modules())


def test_what_a_norm_holds_is_shared() -> None:
    norm = nn.BatchNorm2d(4)
    norm.add_module('act', nn.PReLU(4))
    assert set(NormTwins(nn.Sequential(norm)).state_dict()) == {f'0.{n}' for n in OWNED}


def test_a_norm_alone_is_refused() -> None:
    with pytest.raises(ValueError, match='BatchNorm2d holds no batch norm'):
        NormTwins(nn.BatchNorm2d(4))
