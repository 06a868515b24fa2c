"""Hashes, pairs of them, correlation of pixels, and which of a group stays."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.duplicates import (
    Group,
    hash_pairs,
    keep_one,
    picture_correlation,
    thumbnail,
    window_hashes,
)
from mochi_mm.datasets.duplicates.difference_hash import WINDOWS
from mochi_mm.datasets.duplicates.hash_pairs import bit_counts, counted_bits


def scene(seed: int, side: int = 64) -> Image.Image:
    """A smooth picture with contrast."""
    grain = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(grain).resize((side, side), Image.Resampling.BICUBIC)


def test_bits_of_the_hash_are_those_of_a_loop() -> None:
    small = thumbnail(scene(0))
    gray = small.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    for window in (0, 2, 3):
        left, top, right, bottom = WINDOWS[window]
        part = gray[top : 32 - bottom, left : 32 - right]
        # Every level is the mean of an even part of the window: repeat pixels until parts are whole
        many = part.repeat(8, 0).repeat(9, 1)
        rows, columns = part.shape
        levels = many.reshape(8, rows, 9, columns).mean((1, 3))
        expected = 0
        for y in range(8):
            for x in range(8):
                expected = expected << 1 | int(levels[y, x + 1] > levels[y, x])
        assert int(window_hashes(small)[window]) == expected


def test_pairs_are_those_of_a_loop_whatever_the_chunk() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (11, 3), dtype=np.uint64)
    hashes[7, 0] = hashes[2, 2] ^ np.uint64(0b101)
    hashes[9, 1] = hashes[10, 0]
    found = []
    for i in range(11):
        for j in range(i + 1, 11):
            apart = min(
                min((int(hashes[i, 0]) ^ int(h)).bit_count() for h in hashes[j]),
                min((int(hashes[j, 0]) ^ int(h)).bit_count() for h in hashes[i]),
            )
            if apart <= 2:
                found.append([i, j])
    assert [2, 7] in found and [9, 10] in found
    for chunk in (1, 4, 11, 100):
        assert hash_pairs(hashes, 2, chunk).tolist() == found
    np.testing.assert_array_equal(counted_bits(hashes), bit_counts(hashes))
    assert counted_bits(np.array([0, 2**64 - 1], dtype=np.uint64)).tolist() == [0, 64]
    with pytest.raises(ValueError, match='expected 0 to 64'):
        hash_pairs(hashes, 65)
    assert hash_pairs(hashes[:0], 2).shape == (0, 2)


def test_correlation_sees_through_brightness_and_margins() -> None:
    picture, other = scene(1), scene(2)
    darker = Image.fromarray((np.asarray(picture) * 0.7).astype(np.uint8))
    cropped = picture.crop((4, 2, 64, 61))
    flat = Image.new('RGB', (9, 9), (90, 90, 90))
    images = [picture, darker, cropped, other, flat, flat.resize((3, 3))]
    small = np.stack([thumbnail(image) for image in images])
    pairs = np.array([[0, 1], [0, 2], [2, 0], [0, 3], [0, 4], [4, 5]])
    values = picture_correlation(small, pairs, chunk=4)
    assert values[0] > 0.99 and values[1] > 0.97 and values[1] == pytest.approx(values[2])
    assert abs(values[3]) < 0.6 and abs(values[4]) < 1e-6 and values[5] == 1
    # Plain correlation by channel at 16 x 16, no window: what the largest over windows is above.
    a, b = (s.reshape(16, 2, 16, 2, 3).mean((1, 3), dtype=np.float64) for s in small[[0, 3]])
    a, b = (x - x.mean((0, 1)) for x in (a, b))
    assert values[3] >= (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()) - 1e-6


def test_what_goes_is_near_what_stays_and_no_two_that_stay_are_near() -> None:
    rng = np.random.default_rng(3)
    names = [f'{i:02d}' for i in rng.permutation(20)]
    pixels = rng.integers(1, 4, 20).tolist()
    pairs = np.array([(i, j) for i in range(20) for j in range(i + 1, 20) if rng.random() < 0.15])
    groups = keep_one(pairs, names, pixels)
    near = {tuple(pair) for pair in pairs.tolist()}
    gone = {image for group in groups for image in group.left_out}
    for group in groups:
        for image in group.left_out:
            assert (min(image, group.kept), max(image, group.kept)) in near
    assert all(i in gone or j in gone for i, j in near)
    assert keep_one(pairs[::-1], names, pixels) == groups
    # A chain a - b - c: b goes with a, c is near nothing that stays.
    assert keep_one(np.array([[0, 1], [1, 2]]), 'abc', [1, 1, 1]) == [Group(0, (1,))]
