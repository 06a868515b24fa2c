"""The records that pass between memory, mixers and heads."""

from mochi_mm.structures.hard_negatives import HardNegatives
from mochi_mm.structures.plan import Plan

__all__ = ['HardNegatives', 'Plan']
