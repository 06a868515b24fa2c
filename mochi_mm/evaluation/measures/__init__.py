"""Measures of features and of hard negatives: pure functions of tensors, no network, no state."""

from mochi_mm.evaluation.measures.alignment import class_alignment, pair_alignment
from mochi_mm.evaluation.measures.by_rank import mass_of_parents, rank_bins
from mochi_mm.evaluation.measures.effective_rank import effective_rank, singular_values
from mochi_mm.evaluation.measures.false_negatives import (
    same_known_class,
    share_of_false,
    synthetic_false_negatives,
)
from mochi_mm.evaluation.measures.lidar import lidar
from mochi_mm.evaluation.measures.matching_probability import hardest_probabilities
from mochi_mm.evaluation.measures.neighbor_stability import (
    nearest_neighbors,
    neighbor_stability,
)
from mochi_mm.evaluation.measures.spectrum_decay import spectrum_decay
from mochi_mm.evaluation.measures.uniformity import uniformity

__all__ = [
    'class_alignment',
    'effective_rank',
    'hardest_probabilities',
    'lidar',
    'mass_of_parents',
    'nearest_neighbors',
    'neighbor_stability',
    'pair_alignment',
    'rank_bins',
    'same_known_class',
    'share_of_false',
    'singular_values',
    'spectrum_decay',
    'synthetic_false_negatives',
    'uniformity',
]
