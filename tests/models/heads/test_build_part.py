"""Parts of a head, given as configs or modules."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.heads.build_part import build_optional, build_part
from mochi_mm.models.memories import BaseMemory, FeatureQueue, SampleTable


def test_configs_are_built_and_modules_taken() -> None:
    part = build_part(dict(type='FeatureQueue', length=3, dim=2), BaseMemory)
    assert isinstance(part, FeatureQueue) and part.length == 3
    assert build_part(part, BaseMemory) is part
    table = build_part(dict(length=3), SampleTable)  # its type is that of the part
    assert isinstance(table, SampleTable) and table.length == 3


def test_none_is_left_where_a_part_is_optional() -> None:
    assert build_optional(None, SampleTable) is None
    assert isinstance(build_optional(dict(length=3), SampleTable), SampleTable)


def test_another_kind_is_refused() -> None:
    for part in (torch.nn.Linear(2, 2), FeatureQueue(3, 2)):
        with pytest.raises(ValueError, match=f'{type(part).__name__} is no SampleTable; expected'):
            build_part(part, SampleTable)
