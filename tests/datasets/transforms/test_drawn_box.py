"""Boxes on another size of the image, against the sides rounded one by one."""

from __future__ import annotations

import numpy as np

from mochi_mm.datasets.transforms.drawn_box import scaled_box


def test_sides_are_rounded_and_stay_within() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        width, height = (int(n) for n in rng.integers(1, 600, 2))
        small = tuple(int(n) for n in rng.integers(1, 400, 2))
        h, w = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        a, b, c, d = scaled_box((top, left, h, w), (width, height), small)
        assert 0 <= a < a + c <= small[1] and 0 <= b < b + d <= small[0]
        for start, end, low, high, scale in (
            (a, a + c, top, top + h, small[1] / height),
            (b, b + d, left, left + w, small[0] / width),
        ):
            far = (
                0.5 + 1e-9 if (high - low) * scale >= 1 else 1.5
            )  # of less than a pixel, one is kept
            assert abs(start - low * scale) <= far and abs(end - high * scale) <= far
    assert scaled_box((3, 4, 5, 6), (20, 20), (20, 20)) == (3, 4, 5, 6)
    assert scaled_box((0, 9, 10, 2), (11, 10), (3, 4)) == (0, 2, 4, 1)
