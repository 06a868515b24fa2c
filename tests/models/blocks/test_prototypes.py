"""Prototypes as candidates: their cosines, their classes, their gradient."""

from __future__ import annotations

from mochi_mm.models.blocks import prototype_block
from mochi_mm.models.memories import Prototypes
from tests.reference import dot, random_units


def test_cosines_classes_and_gradient() -> None:
    prototypes = Prototypes(4, 3, ema_decay=None)
    rows = random_units(5, 3, 0).float()
    block = prototype_block(rows, prototypes.snapshot(), lambda a, b: a @ b.T)
    assert block.name == 'prototypes' and block.need('labels').tolist() == [0, 1, 2, 3]
    assert block.mixable is False and block.pull is None and block.dropped is None
    for a in range(5):
        for c in range(4):
            expected = dot(rows[a], prototypes.features[c])
            assert abs(float(block.similarity[a, c].detach()) - expected) < 1e-6
    block.similarity.sum().backward()
    assert prototypes.weight is not None and prototypes.weight.grad is not None
