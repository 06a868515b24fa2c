"""Estimators: how the sum over negatives is formed from the candidates."""

from mochi_mm.models.estimators.negative_estimator import NegativeEstimator

__all__ = ['NegativeEstimator']
