"""Memories: embeddings, labels and tables of samples that outlive a step."""

from mochi_mm.models.memories.base_memory import BaseMemory
from mochi_mm.models.memories.class_balanced_queue import ClassBalancedQueue
from mochi_mm.models.memories.feature_queue import FeatureQueue
from mochi_mm.models.memories.instance_bank import InstanceBank
from mochi_mm.models.memories.prototypes import Prototypes
from mochi_mm.models.memories.sample_table import SampleTable

__all__ = [
    'BaseMemory',
    'ClassBalancedQueue',
    'FeatureQueue',
    'InstanceBank',
    'Prototypes',
    'SampleTable',
]
