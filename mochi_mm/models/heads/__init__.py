"""The objective: embeddings, memory and mixers in, losses out."""

from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.heads.hard_negative_mixing_head import HardNegativeMixingHead
from mochi_mm.models.heads.linear_head import LinearHead
from mochi_mm.models.heads.memory_head import MemoryHead

__all__ = ['ContrastiveHead', 'HardNegativeMixingHead', 'LinearHead', 'MemoryHead']
