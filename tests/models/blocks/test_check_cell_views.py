"""Cells of one shape everywhere, with backbone features of the same cells."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.blocks.check_cell_views import check_cell_views
from mochi_mm.structures import Views

ROWS, MAPS = torch.zeros(2, 4, 3), torch.zeros(2, 4, 6)
GOOD: dict[str, Any] = dict(
    online={0: ROWS}, target={1: ROWS}, features={0: MAPS}, target_features={1: MAPS}
)


def test_good_cells() -> None:
    views = Views(**GOOD)
    check_cell_views(views, 3)
    assert views.pairs == [(0, 1)]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(target={0: ROWS}), r'queries of the views \[0\] and keys of the views \[0\]'),
        (dict(online={0: ROWS[:, 0]}), r'query cells of view 0 .* \(2, 3\); expected'),
        (
            dict(target={1: ROWS[:, :2]}),
            r'key cells of view 1 .* \(2, 2, 3\); .* crops of one size',
        ),
        (dict(online={0: ROWS[..., :2]}), r'\(2, 4, 2\); expected \(images, cells, 3\)'),
        (dict(features={}), 'features of the query cells of view 0 are None'),
        (dict(target_features={1: MAPS[:, :3]}), r'the key cells of view 1 are \(2, 3, 6\)'),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_cell_views(Views(**{**GOOD, **changes}), 3)
