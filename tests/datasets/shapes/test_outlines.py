"""Outlines: equal areas, the hole of the ring, placement, coverage."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.shapes.outlines import KINDS, coverage, even_odd_area, outline, place


def shoelace(points: np.ndarray) -> float:
    total = 0.0
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        total += x0 * y1 - x1 * y0
    return abs(total) / 2


@pytest.mark.parametrize('kind', KINDS)
def test_every_outline_has_area_one_and_its_box_at_the_origin(kind: str) -> None:
    contours = outline(kind)
    areas = sorted((shoelace(c) for c in contours), reverse=True)
    assert areas[0] - sum(areas[1:]) == pytest.approx(1, abs=1e-5)
    assert even_odd_area(contours) == pytest.approx(1, abs=1e-5)
    outer = contours[0]
    assert outer.min(0) + outer.max(0) == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.parametrize('kind', KINDS)
def test_placing_keeps_the_area_and_coverage_counts_it(kind: str) -> None:
    moved = place(outline(kind), np.array([33.0, 30.0]), 20.0, 0.4, 1.3)
    assert even_odd_area(moved) == pytest.approx(400, rel=1e-4)
    cover = coverage(moved, 64)
    assert cover.shape == (64, 64) and cover.min() == 0 and cover.max() == 1
    # The filled polygon takes the fine pixels that its edge touches: at most one outward.
    edge = sum(np.hypot(*(c - np.roll(c, 1, axis=0)).T).sum() for c in moved)
    assert 398 <= cover.sum() <= 402 + edge / 4


def test_a_whole_pixel_square_covers_exactly_its_pixels() -> None:
    square = (np.array([[2.0, 3.0], [6.0, 3.0], [6.0, 5.0], [2.0, 5.0]]),)
    expected = np.zeros((8, 8))
    expected[3:5, 2:6] = 1
    np.testing.assert_allclose(coverage(square, 8), expected, atol=0.3)
    assert ((coverage(square, 8) >= 0.5) == (expected == 1)).all()


def test_the_ring_has_a_hole() -> None:
    cover = coverage(place(outline('ring'), np.array([16.0, 16.0]), 20.0, 0.0), 32)
    assert cover[16, 16] == 0 and cover[16, 16 + 10] == 1


def test_unknown_kind() -> None:
    with pytest.raises(KeyError, match="'blob' is not a shape kind; known kinds: disc, square"):
        outline('blob')
