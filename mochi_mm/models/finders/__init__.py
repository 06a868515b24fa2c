"""Finders of false negatives among the candidates."""

from mochi_mm.models.finders.false_negative_finder import FalseNegativeFinder
from mochi_mm.models.finders.false_negative_removal import FalseNegativeRemoval
from mochi_mm.models.finders.negative_threshold import NegativeThreshold

__all__ = ['FalseNegativeFinder', 'FalseNegativeRemoval', 'NegativeThreshold']
