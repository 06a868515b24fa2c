"""Finders of false negatives among the candidates."""

from mochi_mm.models.finders.false_negative_finder import FalseNegativeFinder

__all__ = ['FalseNegativeFinder']
