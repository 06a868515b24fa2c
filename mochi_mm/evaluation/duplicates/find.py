"""Near-duplicates among pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from mochi_mm.datasets.duplicates import hash_pairs, picture_correlation
from mochi_mm.datasets.duplicates.hash_pairs import bit_counts
from mochi_mm.evaluation.duplicates.feature_pairs import feature_pairs
from mochi_mm.evaluation.duplicates.pictures import Pictures


@dataclass(frozen=True)
class Limits:
    """What two images need to be near-duplicates.

    Attributes:
        bits: Bits of 64 in which hashes of theirs may differ.
        cosine: Least cosine of their features; either makes a pair a candidate.
        correlation: Least correlation of their pixels, which a candidate needs.
    """

    bits: int = 12
    cosine: float = 0.9
    correlation: float = 0.94

    def __post_init__(self) -> None:
        if not 0 < self.correlation <= 1:
            raise ValueError(
                f'the least correlation is {self.correlation}; expected more than 0 and at most 1, '
                'such as 0.94.'
            )


@dataclass(frozen=True)
class Found:
    """Pairs of near-duplicates, in order.

    Attributes:
        pairs: (P, 2) int64 numbers of images, first < second.
        correlations: (P,) correlation of their pixels.
        by_hash: (P,) bool, pairs that the hash found.
        by_features: (P,) bool, pairs that the features found.
        candidates: Pairs whose pixels were compared.
    """

    pairs: np.ndarray
    correlations: np.ndarray
    by_hash: np.ndarray
    by_features: np.ndarray
    candidates: int


def find_near_duplicates(
    pictures: Pictures,
    features: Tensor | None = None,
    limits: Limits | None = None,
    by_hash: bool = True,
    progress: bool = False,
) -> Found:
    """Return all pairs of near-duplicates.

    Args:
        pictures: M images.
        features: (M, C) features of them; None searches by hash alone.
        limits: What makes a near-duplicate.
        by_hash: Search by hash.
        progress: Show bars with the time left, if stderr is a terminal.

    Raises:
        ValueError: Nothing to search by; limits that let nearly everything pass.
    """
    limits = limits or Limits()
    if features is None and not by_hash:
        raise ValueError('nothing to search by; expected the hash, features, or both.')
    count = np.int64(len(pictures.pixels))
    hashed = encoded = np.zeros(0, dtype=np.int64)  # pairs as one number each: first * M + second
    if by_hash:
        hashed = _numbers(hash_pairs(pictures.hashes, limits.bits, progress=progress), count)
    if features is not None:
        pairs, _ = feature_pairs(features, limits.cosine, progress=progress)
        encoded = _numbers(pairs.numpy(), count)
    numbers = np.union1d(hashed, encoded)
    pairs_of = (
        np.stack(np.divmod(numbers, count), axis=1) if len(numbers) else np.zeros((0, 2), np.int64)
    )
    readable = (pictures.pixels[pairs_of] > 0).all(1)
    numbers, pairs_of = numbers[readable], pairs_of[readable]
    correlations = picture_correlation(pictures.thumbnails, pairs_of)
    near = correlations >= limits.correlation
    return Found(
        pairs_of[near],
        correlations[near],
        np.isin(numbers[near], hashed),
        np.isin(numbers[near], encoded),
        len(numbers),
    )


def _numbers(pairs: np.ndarray, count: np.int64) -> np.ndarray:
    return pairs[:, 0] * count + pairs[:, 1]


def are_near_duplicates(pictures: Pictures, pairs: np.ndarray, limits: Limits) -> np.ndarray:
    """Return (P,) bool, which of some pairs (P, 2) of readable images are near-duplicates."""
    hashes = pictures.hashes
    first, second = hashes[pairs[:, 0]], hashes[pairs[:, 1]]  # (P, W) each
    apart = np.minimum(
        bit_counts(first[:, :1] ^ second).min(1), bit_counts(first ^ second[:, :1]).min(1)
    )
    near = (apart <= limits.bits) & (pictures.pixels[pairs] > 0).all(1)
    correlations = picture_correlation(pictures.thumbnails, pairs[near])
    near[near] = correlations >= limits.correlation
    return near
