"""One seed gives the same draws whatever device asks for them."""

from __future__ import annotations

import torch

from mochi_mm.experiments.on_device.draws_on_host import DrawsOnHost, HostStepKey
from mochi_mm.randomness import StepKey


def test_draws_come_from_the_host_and_lie_on_the_device() -> None:
    asked: list[torch.device] = []

    class Noted(DrawsOnHost):
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            asked.append(torch.device((kwargs or {}).get('device', 'cpu')))
            return super().__torch_function__(func, types, args, kwargs)

    key = HostStepKey(3, 5)
    with Noted():
        drawn = torch.rand(4, generator=key.generator('mixing', 'meta'), device='meta')
        order = torch.randperm(4, generator=key.generator('mixing', 'meta'), device='meta')
        here = torch.rand(4, generator=key.generator('mixing'), device='cpu')
        plain = torch.rand(4, generator=key.generator('mixing'))
    assert drawn.is_meta and order.is_meta and torch.device('meta') in asked
    expected = torch.rand(4, generator=StepKey(3, 5).generator('mixing'))
    assert torch.equal(here, expected) and torch.equal(plain, expected)


def test_what_has_no_generator_is_left_alone() -> None:
    with DrawsOnHost():
        assert torch.zeros(2, device='meta').is_meta
        assert torch.ones(2).sum() == 2
