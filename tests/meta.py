"""What a GPU would say, without one: tensors on another device, and waits for the host.

On torch's ``meta`` device nothing is computed, so a whole training step takes no time, but every
operation says what it is given. :func:`on_one_device` refuses what a GPU would be slowed down by.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mochi_mm.randomness import StepKey

ROOT = Path(__file__).resolve().parents[1]

#: Operations whose result has a size, or a value, that the host has to know.
WAITS = (
    '_local_scalar_dense',
    'nonzero',
    'nonzero_numpy',
    'masked_select',
    'bincount',
    'equal',
    'unique_consecutive',
    'unique_dim',
    '_unique2',
    'repeat_interleave',
)
#: Operations that index, where an index may be a boolean mask.
INDEXING = ('index', 'index_put', 'index_put_', '_index_put_impl_', '_unsafe_index')
#: Functions that make a tensor of host values, and copy it to the device.
MAKERS = ('tensor', 'as_tensor', 'new_tensor', 'asarray', 'from_numpy')


class DeviceFault(AssertionError):
    """An operation that a GPU would wait for, or that it could not do at all."""


class StepOfNoGenerator(StepKey):
    """The key of a step on a device that has no generators: torch's own draws."""

    def generator(self, stream: str, device: Any = 'cpu', per_rank: bool = True) -> Any:
        return None


class _OnOneDevice(TorchDispatchMode):
    """Refuses operations on tensors of several devices, and those that wait."""

    def __init__(self, device: str, host: bool, transfers: bool) -> None:
        super().__init__()
        self.device, self.host, self.transfers = device, host, transfers

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = _tensors(args, kwargs)
        devices = {tensor.device.type for tensor in given}
        name = func.overloadpacket.__name__
        sends = name == '_to_copy' and torch.device(kwargs.get('device') or 'cpu').type
        if sends and devices == {'cpu'} and sends == self.device and self.transfers:
            return func(*args, **kwargs)
        if self.device in devices:
            self._refuse_waits(func, name, args, kwargs)
        result = func(*args, **kwargs)
        found = devices | {tensor.device.type for tensor in _tensors(result)}
        if found - {self.device} and not (self.host and found == {'cpu'}):
            shapes = ', '.join(f'{tuple(t.shape)} on {t.device}' for t in given) or 'none'
            raise DeviceFault(
                f'{func} at {_place()} has tensors on {" and ".join(sorted(found))}; expected all '
                f'on {self.device} (tensors given: {shapes}).'
            )
        return result

    def _refuse_waits(self, func: Any, name: str, args: Any, kwargs: Any) -> None:
        masks = [
            tensor for tensor in _tensors(args[1:2]) if tensor.dtype in (torch.bool, torch.uint8)
        ]
        leaves = name in ('_to_copy', 'copy_') and 'cpu' in str(kwargs.get('device', ''))
        # With output_size the host knows how many rows there will be.
        known = name == 'repeat_interleave' and kwargs.get('output_size') is not None
        if leaves or (name in WAITS and not known) or (name in INDEXING and masks):
            what = 'indexing by a boolean mask, ' if masks and name in INDEXING else ''
            raise DeviceFault(
                f'{what}{func} at {_place()} makes the host wait for {self.device}; expected a '
                'step whose sizes and branches do not depend on values.'
            )


class _NothingFromHost(TorchFunctionMode):
    """Refuses tensors made of host values on the device: dispatch does not see these copies."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, '__name__', '')
        if name in MAKERS and isinstance(result, Tensor) and result.device.type == self.device:
            values = args[-1] if args else None
            if not isinstance(values, Tensor):
                raise DeviceFault(
                    f'torch.{name}({values!r}) at {_place()} copies values of the host to '
                    f'{self.device}; expected a tensor that is filled there, such as new_full.'
                )
        return result


@contextlib.contextmanager
def on_one_device(
    device: str = 'meta',
    host: bool = False,
    transfers: bool = False,
    constants: bool = False,
    autocast: bool = False,
) -> Iterator[None]:
    """Raise :class:`DeviceFault` at the first operation that a device would wait for.

    Args:
        device: Type of the device.
        host: Allow operations whose tensors are all on the host.
        transfers: Allow copies from the host to the device.
        constants: Allow tensors that are made of values of the host, as at a first use.
        autocast: Leave autocast as it is. ``meta`` has none: otherwise it does nothing inside.
    """
    with contextlib.ExitStack() as stack:
        if not autocast:
            nothing = mock.patch.object(
                torch, 'autocast', lambda *_, **__: contextlib.nullcontext()
            )
            stack.enter_context(nothing)
        if not constants:
            stack.enter_context(_NothingFromHost(device))
        stack.enter_context(_OnOneDevice(device, host, transfers))
        yield


def _tensors(*trees: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(trees) if isinstance(leaf, Tensor)]


def _place() -> str:
    """Return file and line of the innermost frame of this project; in a backward, its call."""
    for frame in reversed(traceback.extract_stack()):
        path = Path(frame.filename)
        inside = path.is_relative_to(ROOT) and '.venv' not in path.parts
        if inside and path != Path(__file__).resolve():
            return f'{path.relative_to(ROOT)}:{frame.lineno} ({frame.line})'
    return 'an unknown place'
