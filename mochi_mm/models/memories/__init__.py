"""Where negatives live between steps."""

from mochi_mm.models.memories.feature_queue import FeatureQueue

__all__ = ['FeatureQueue']
