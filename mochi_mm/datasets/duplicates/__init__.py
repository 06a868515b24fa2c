"""Images that are nearly the same picture: found by a hash, confirmed by their pixels."""

from mochi_mm.datasets.duplicates.difference_hash import window_hashes
from mochi_mm.datasets.duplicates.hash_pairs import hash_pairs
from mochi_mm.datasets.duplicates.keep_one import Group, keep_one
from mochi_mm.datasets.duplicates.picture_correlation import picture_correlation
from mochi_mm.datasets.duplicates.thumbnail import THUMBNAIL, thumbnail

__all__ = [
    'THUMBNAIL',
    'Group',
    'hash_pairs',
    'keep_one',
    'picture_correlation',
    'thumbnail',
    'window_hashes',
]
