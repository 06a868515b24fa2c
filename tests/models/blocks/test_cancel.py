"""What is done with false negatives: dropped, attracting, or nothing."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.blocks import cancel
from mochi_mm.structures import Block

FOUND = torch.tensor([[True, False, True, False]])
PULL = torch.tensor([[0.0, 1.0, 0.0, 0.0]])


@pytest.mark.parametrize('pull', [None, PULL])
def test_each_strategy(pull: torch.Tensor | None) -> None:
    block = Block('memory', torch.zeros(1, 4), mixable=True, pull=pull)
    assert cancel(block, FOUND, 'none') is block
    eliminated = cancel(block, FOUND, 'eliminate')
    assert torch.equal(eliminated.need('dropped'), FOUND) and eliminated.pull is pull
    attracting = cancel(block, FOUND, 'attract')
    expected = [True, pull is not None, True, False]
    assert attracting.need('pull').bool().tolist() == [expected] and attracting.dropped is None
    assert torch.equal(attracting.need('mixable'), ~attracting.need('pull').bool())
    assert torch.equal(eliminated.need('mixable'), ~FOUND)
