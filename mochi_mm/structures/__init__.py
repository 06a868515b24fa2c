"""The records that pass between memory, mixers, heads and their equations."""

from mochi_mm.structures.hard_negatives import HardNegatives
from mochi_mm.structures.pairs import Pairs
from mochi_mm.structures.plan import Plan

__all__ = ['HardNegatives', 'Pairs', 'Plan']
