"""Precision and recall of what was found, counted by hand, and where there is nothing."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.found_statistics import found_statistics
from mochi_mm.structures import Block

# Two anchors of the classes 0 and 1; the candidates' classes below, the last one unknown.
CLASSES = (torch.tensor([0, 1]), torch.tensor([0, 0, 1, 2, -1]))
FOUND = torch.tensor([[True, True, True, False, True], [False, False, False, True, False]])


def test_counted_by_hand() -> None:
    block = Block('memory', torch.zeros(2, 5), false_negative=FOUND, classes=CLASSES)
    values = {name: float(value) for name, value in found_statistics(block).items()}
    assert values['share_found'] == pytest.approx(5 / 10)
    assert values['precision_found'] == pytest.approx(2 / 4)
    assert values['recall_found'] == pytest.approx(2 / 3)
    own = torch.zeros(2, 5, dtype=torch.bool)
    own[0, 0] = True
    for name in ('itself', 'same_image'):
        other = found_statistics(block.but(**{name: own}))
        assert float(other['precision_found']) == pytest.approx(1 / 3)
        assert float(other['recall_found']) == pytest.approx(1 / 2)


def test_where_there_is_nothing() -> None:
    nothing = torch.zeros(2, 5, dtype=torch.bool)
    block = Block('memory', torch.zeros(2, 5), false_negative=nothing, classes=CLASSES)
    assert {float(value) for value in found_statistics(block).values()} == {0.0}
    assert list(found_statistics(block.but(classes=None))) == ['share_found']
