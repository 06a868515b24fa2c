"""The messages of a step, counted where they are handed to ``torch.distributed``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any
from unittest import mock

import torch.distributed as dist
from torch import Tensor

from mochi_mm.distributed.messages import OPERATIONS, Message

#: Which argument of an operation this rank hands over.
_OWN = dict(all_gather=1, all_reduce=0, all_to_all_single=1, broadcast=0)
_OTHERS = (
    'all_gather_into_tensor',
    'all_gather_object',
    'all_to_all',
    'broadcast_object_list',
    'gather',
    'gather_object',
    'irecv',
    'isend',
    'recv',
    'reduce',
    'reduce_scatter',
    'reduce_scatter_tensor',
    'scatter',
    'send',
)
#: What is in a message, by the function of the package that sends it.
_SENDERS = dict(
    exchange_rows='rows',
    row_counts='counts',
    gather_rows='rows',
    backward='candidate gradients',
    mean_over_ranks='statistics',
    any_rank='agreement',
    reduce_bucket='gradients',
)


class CountedMessages:
    """Count what this rank hands over, inside ``with``; everything is sent all the same.

    Gradients that data-parallel training averages are sent from C++; :func:`reduce_bucket` as its
    hook lets them be counted.

    Attributes:
        messages: What was handed over, in order.

    Raises:
        RuntimeError: Inside: an operation that is not counted, or a sender that is not known.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._stack = ExitStack()

    def __enter__(self) -> CountedMessages:
        for name in OPERATIONS:
            self._put(name, self._counted(name, getattr(dist, name)))
        for name in _OTHERS:
            self._put(name, _refused(name))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _put(self, name: str, function: Callable[..., Any]) -> None:
        self._stack.enter_context(mock.patch.object(dist, name, function))

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            own: Tensor = args[_OWN[name]]
            kind = _kind(sys._getframe(1))
            if kind == 'rows':
                kind = _kind_of_rows(own)
            self.messages.append(Message(kind, name, own.numel() * own.element_size()))
            return function(*args, **kwargs)

        return call


def _kind_of_rows(rows: Tensor) -> str:
    if not rows.dtype.is_floating_point:
        return 'labels'
    return 'images' if rows.ndim == 4 else 'embeddings'


def _kind(frame: FrameType | None) -> str:
    names = []
    while frame is not None:
        name = frame.f_code.co_name
        if name in _SENDERS and 'mochi_mm' in frame.f_code.co_filename:
            return _SENDERS[name]
        names.append(name)
        frame = frame.f_back
    raise RuntimeError(
        f'a message of an unknown sender: {" < ".join(names[:5])}; expected one of '
        f'{", ".join(_SENDERS)}. Add it to counted_messages.py.'
    )


def _refused(name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f'a step calls {name}, which is not counted; add it.')

    return call
