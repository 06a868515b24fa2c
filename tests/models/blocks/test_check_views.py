"""Which views are accepted."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.blocks.check_views import check_image_views, check_pair_views
from mochi_mm.structures import Views


def rows(*shapes: tuple[int, int]) -> dict[int, torch.Tensor]:
    return {view: torch.zeros(shape) for view, shape in enumerate(shapes)}


def test_views_of_one_shape() -> None:
    check_image_views(Views(rows((4, 3), (4, 3))), 'SomeHead', 2)
    check_image_views(Views(rows((4, 3))), 'SomeHead', 1)
    for views, message in (
        (Views(rows((4, 3))), r'1 views of shapes \[\(4, 3\)\].*SomeHead takes.*at least 2 views'),
        (Views(rows((4, 3), (4, 2))), r'shapes \[\(4, 2\), \(4, 3\)\]'),
        (Views(rows((4, 3), (3, 3))), '2 views of shapes'),
        (Views(rows((4, 3), (4, 3)), rows((4, 3))), 'and 1 of an averaged encoder'),
    ):
        with pytest.raises(ValueError, match=message):
            check_image_views(views, 'SomeHead', 2)


@pytest.mark.parametrize(
    ('online', 'target', 'dim', 'message'),
    [
        (rows((4, 3)), rows((4, 3)), 3, r'queries of the views \[0\] and keys of the views \[0\]'),
        (rows((4, 3)), {}, 3, r'keys of the views \[\]; expected at least one query and one key'),
        (
            rows((4, 2)),
            rows((4, 3), (4, 3)),
            3,
            r'query \(4, 2\) does not fit 4 images and a memory',
        ),
        (rows((4, 3)), rows((4, 3), (4, 2)), 3, r'key \(4, 2\) does not fit .* of width 3'),
        (rows((4, 3)), rows((4, 3), (3, 3)), 3, r'key \(3, 3\) does not fit 4 images'),
        (rows((4, 3)), rows((4, 3), (4, 2)), None, r'key \(4, 2\) .* and queries of width 3'),
    ],
)
def test_bad_pairs(online: Any, target: Any, dim: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_pair_views(Views(online, target), dim)


def test_pairs_of_one_width() -> None:
    for dim in (3, None):
        check_pair_views(Views(rows((4, 3)), rows((4, 3), (4, 3))), dim)
    with pytest.raises(ValueError, match=r'expected \(batch, 4\)'):
        check_pair_views(Views(rows((4, 3)), rows((4, 3), (4, 3))), 4)
