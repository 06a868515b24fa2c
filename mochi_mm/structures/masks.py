"""Masks that may be absent: None stands for "nowhere"."""

from __future__ import annotations

from torch import Tensor


def either(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Return the union of two masks, either of which may be None."""
    if first is None or second is None:
        return second if first is None else first
    return first | second


def without(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the values, -inf where the mask is set."""
    return values if mask is None else values.masked_fill(mask, float('-inf'))
