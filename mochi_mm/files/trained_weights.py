"""Check that weights are such as training leaves, in the precision that they are used in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mochi_mm.files.shown import shown_path

_KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)
_COUNTER = 'num_batches_tracked'
_VARIANCE = 'running_var'


def is_finite(tensor: Tensor) -> bool:
    """Return whether a tensor holds neither NaN nor infinity, without a copy of it."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    return all(bool(value.isfinite()) for value in tensor.aminmax())  # both are NaN if one is


def check_weights(
    found: Mapping[str, Any],
    source: str,
    wanted: Mapping[str, Tensor] | None = None,
    part: str = '',
) -> None:
    """Refuse weights, statistics and memories that no training can have left.

    Args:
        found: Weights of the file; what is no tensor is passed over.
        source: The file, for the error.
        wanted: Weights of the model, of the same shapes, for whose precision they are checked;
            names of only one side are passed over. None checks all in their own precision.
        part: Text before the names, for the error.

    Raises:
        ValueError: One is not finite, or not any more in the model's precision; a variance or a
            counter below zero; whole numbers for fractions or the other way round; complex
            numbers, or fractions of 8 bits.
    """
    for name, tensor in found.items():
        if not isinstance(tensor, Tensor) or (wanted is not None and name not in wanted):
            continue
        problem = _problem(name, tensor, (tensor if wanted is None else wanted[name]).dtype)
        if problem is not None:
            raise ValueError(f'{source}: {shown_path(part + name)} {problem}')


def _problem(name: str, tensor: Tensor, dtype: torch.dtype) -> str | None:
    if not dtype.is_floating_point:
        return _problem_of_whole(name, tensor, dtype)
    if tensor.dtype not in _KINDS:
        return (
            f'is of {tensor.dtype}; expected floating-point weights of 16, 32 or 64 bits, not '
            'quantized ones.'
        )
    if not is_finite(tensor):
        return 'holds NaN or infinity; take an earlier checkpoint.'
    if tensor.dtype != dtype and not is_finite(tensor.to(dtype)):
        return f'holds numbers of {tensor.dtype} beyond {dtype}, in which the model computes.'
    if name.endswith(_VARIANCE) and tensor.numel() and bool(tensor.amin() < 0):
        return 'is a variance below zero, which no images have; take an earlier checkpoint.'
    return None


def _problem_of_whole(name: str, tensor: Tensor, dtype: torch.dtype) -> str | None:
    if tensor.dtype != dtype and (dtype not in _WHOLE or tensor.dtype not in _WHOLE):
        return f'is of {tensor.dtype}; expected {dtype}.'
    if tensor.numel() and not torch.equal(tensor.to(dtype).to(tensor.dtype), tensor):
        return f'holds numbers of {tensor.dtype} beyond {dtype}.'
    if name.endswith(_COUNTER) and bool((tensor < 0).any()):
        return 'is a counter below zero; take an earlier checkpoint.'
    return None
