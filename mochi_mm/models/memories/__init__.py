"""Where negatives live between steps."""

from mochi_mm.models.memories.feature_queue import FeatureQueue
from mochi_mm.models.memories.instance_bank import InstanceBank

__all__ = ['FeatureQueue', 'InstanceBank']
