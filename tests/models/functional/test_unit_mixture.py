"""Mixtures of two unit rows against a loop in float64."""

from __future__ import annotations

import torch

from mochi_mm.models.functional.mixing import MIN_NORM
from mochi_mm.models.functional.unit_mixture import unit_mixture
from tests.reference import random_units


def test_equals_the_loop() -> None:
    """Also for mixtures around the bound, whose old row is kept below it."""
    old, new = random_units(40, 5, 0), random_units(40, 5, 1)
    new[:20] = -old[:20] + torch.linspace(0, 0.1, 20, dtype=torch.float64)[:, None] * new[:20]
    new = new / new.norm(dim=1, keepdim=True)
    mixed = 0.5 * old + 0.5 * new
    found = unit_mixture(mixed.float(), old.float())
    kept = 0
    for row, before, result in zip(mixed, old, found, strict=True):
        length = sum(float(x) ** 2 for x in row) ** 0.5
        kept += length < MIN_NORM
        expected = before if length < MIN_NORM else row / length
        torch.testing.assert_close(result.double(), expected, rtol=0, atol=1e-4)
    assert 2 <= kept <= 15
    torch.testing.assert_close(found.norm(dim=1), torch.ones(40), rtol=0, atol=1e-6)


def test_long_enough_rows_have_the_bits_of_normalize() -> None:
    mixed = random_units(7, 5, 2).float() * 0.3
    assert torch.equal(
        unit_mixture(mixed, torch.zeros(7, 5)), torch.nn.functional.normalize(mixed, dim=1)
    )
