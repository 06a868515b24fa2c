"""Optimizers that torch lacks."""

from mochi_mm.engine.optimizers.lars import lars

__all__ = ['lars']
