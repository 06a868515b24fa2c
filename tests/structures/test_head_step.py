"""What a step gives, and what it writes when it is told to."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from mochi_mm.structures import Block, HeadStep


def test_results_and_commit() -> None:
    written: list[int] = []
    writes = tuple(partial(written.append, i) for i in range(3))
    step = HeadStep(dict(loss=torch.ones(())), dict(accuracy=torch.zeros(())), writes)
    assert {name: float(v) for name, v in step.results().items()} == dict(loss=1, accuracy=0)
    assert written == []
    step.commit()
    assert written == [0, 1, 2]


def test_blocks_are_found_by_name() -> None:
    blocks = tuple(Block(name, torch.zeros(1, 1)) for name in ('own', 'memory'))
    assert HeadStep({}, {}, blocks=blocks).block('memory') is blocks[1]
    with pytest.raises(KeyError, match="no block 'batch' among .*; it has: own, memory"):
        HeadStep({}, {}, blocks=blocks).block('batch')
    with pytest.raises(KeyError, match='it has: none'):
        HeadStep({}, {}).block('batch')
