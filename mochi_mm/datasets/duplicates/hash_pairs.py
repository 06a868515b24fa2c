"""All pairs of images whose hashes differ in few bits."""

from __future__ import annotations

import numpy as np

from mochi_mm.utils.progress import progress_bar

#: More pairs than this for each image are no near-duplicates but a cut that is too wide.
MOST_PAIRS = 1000


def hash_pairs(
    hashes: np.ndarray, most_bits: int, chunk: int = 1024, progress: bool = False
) -> np.ndarray:
    """Return the pairs (P, 2) int64, first < second, of images with a hash in common or nearly.

    The whole of an image is compared with every window of the other, both ways, exactly: the time
    is quadratic in the images, the memory is not.

    Args:
        hashes: (M, W) uint64 of M images, that of the whole image first.
        most_bits: Bits of 64 that may differ.
        chunk: Images compared with as many others at a time.
        progress: Show a bar with the time left, if stderr is a terminal.

    Raises:
        ValueError: A cut out of [0, 64]; more than 1,000 pairs for each image.
    """
    if not 0 <= most_bits <= 64:
        raise ValueError(f'{most_bits} bits may differ; expected 0 to 64, such as 12.')
    found = [np.zeros((0, 2), dtype=np.int64)]
    total = 0
    starts = range(0, len(hashes), chunk)
    for start in progress_bar(starts, 'hashes', len(starts), progress):
        for other in range(start, len(hashes), chunk):
            near = _near(hashes[start : start + chunk], hashes[other : other + chunk], most_bits)
            places = np.argwhere(np.triu(near, 1) if other == start else near)
            found.append(places + np.array([start, other]))
            total += len(places)
        if total > MOST_PAIRS * len(hashes):
            raise ValueError(
                f'more than {MOST_PAIRS} pairs for each of the {len(hashes)} images differ in at '
                f'most {most_bits} bits of 64; expected a cut that only near-duplicates pass. '
                'Lower it, for instance to 8.'
            )
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _near(rows: np.ndarray, others: np.ndarray, most_bits: int) -> np.ndarray:
    """Return (m, n) bool, whether a hash of the whole is near a window's of the other."""
    near = np.zeros((len(rows), len(others)), dtype=bool)
    for window in range(rows.shape[1]):
        near |= bit_counts(rows[:, :1] ^ others[None, :, window]) <= most_bits
        if window:
            near |= bit_counts(rows[:, window, None] ^ others[None, :, 0]) <= most_bits
    return near


def bit_counts(values: np.ndarray) -> np.ndarray:
    """Return the number of bits that are set in each uint64."""
    counts = getattr(np, 'bitwise_count', counted_bits)(values)  # NumPy 2 has an instruction
    return np.asarray(counts)


def counted_bits(values: np.ndarray) -> np.ndarray:
    """Return the same by sums of neighboring bits, for NumPy 1."""
    v = values - ((values >> np.uint64(1)) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    v = (v & pairs) + ((v >> np.uint64(2)) & pairs)
    v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    # The product is meant to overflow: its upper byte is the sum of all eight.
    return ((v * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
