"""Near-duplicates in a data set: candidates by hash or features, confirmed by their pixels."""

from mochi_mm.evaluation.duplicates.feature_pairs import feature_pairs
from mochi_mm.evaluation.duplicates.find import (
    Found,
    Limits,
    are_near_duplicates,
    find_near_duplicates,
)
from mochi_mm.evaluation.duplicates.pictures import Pictures, read_pictures

__all__ = [
    'Found',
    'Limits',
    'Pictures',
    'are_near_duplicates',
    'feature_pairs',
    'find_near_duplicates',
    'read_pictures',
]
