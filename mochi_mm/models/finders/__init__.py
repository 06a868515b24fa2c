"""Which candidates are false negatives."""

from mochi_mm.models.finders.false_negative_finder import FalseNegativeFinder

__all__ = ['FalseNegativeFinder']
