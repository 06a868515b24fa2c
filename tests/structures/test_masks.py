"""Masks that may be absent."""

from __future__ import annotations

import math

import torch

from mochi_mm.structures.masks import either, without

FIRST = torch.tensor([[True, False, False]])
SECOND = torch.tensor([[False, False, True]])


def test_either_is_the_union() -> None:
    assert either(None, None) is None
    assert either(FIRST, None) is FIRST and either(None, SECOND) is SECOND
    both = either(FIRST, SECOND)
    assert both is not None and both.tolist() == [[True, False, True]]


def test_without_drops_what_is_set() -> None:
    values = torch.tensor([[0.1, 0.2, 0.3]], requires_grad=True)
    assert without(values, None) is values
    kept = without(values, FIRST)
    assert kept[0, 0] == -math.inf and torch.equal(kept[0, 1:], values[0, 1:])
    kept[0, 1:].sum().backward()
    assert values.grad is not None and values.grad.tolist() == [[0, 1, 1]]
