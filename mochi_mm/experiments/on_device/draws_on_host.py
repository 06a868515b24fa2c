"""The same random draws on every device, to compare devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from mochi_mm.randomness import StepKey


@dataclass(frozen=True)
class HostStepKey(StepKey):
    """The key of a step whose generators are those of the CPU, whatever device asks.

    >>> HostStepKey(0, 0).generator('mixing', 'meta').device
    device(type='cpu')
    """

    def generator(self, stream: str, device: Any = 'cpu', per_rank: bool = True) -> torch.Generator:
        """Return the generator of ``stream`` on the CPU."""
        return super().generator(stream, 'cpu', per_rank)


class DrawsOnHost(TorchFunctionMode):
    """Draw on the CPU, and move, what a generator of the CPU is to draw on another device.

    Generators of two devices give other numbers for one seed. Inside, with :class:`HostStepKey`,
    ``torch.rand`` and its like give the same on each.

    >>> with DrawsOnHost():
    ...     drawn = torch.rand(2, generator=torch.Generator().manual_seed(0), device='meta')
    >>> drawn.device
    device(type='meta')
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        generator, device = kwargs.get('generator'), kwargs.get('device')
        if generator is None or device is None or generator.device.type != 'cpu':
            return func(*args, **kwargs)
        return func(*args, **{**kwargs, 'device': 'cpu'}).to(device)
