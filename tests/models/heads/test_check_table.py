"""A table of labels beside a view editor that mixes by labels of the data set."""

from __future__ import annotations

import pytest

from mochi_mm.models.heads import SupConHead, SupMixHead, UniConHead
from mochi_mm.models.heads.check_table import check_no_table

TABLE = dict(type='SampleTable', length=4)


@pytest.mark.parametrize('kind', [UniConHead, SupMixHead])
def test_heads_of_mixed_images_refuse_a_table(kind: type[UniConHead] | type[SupMixHead]) -> None:
    check_no_table(kind())
    with pytest.raises(ValueError, match=f'{kind.__name__} has a table of labels.*label_key'):
        kind(table=TABLE)
    SupConHead(table=TABLE)
