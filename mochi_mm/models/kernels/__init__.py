"""Fused forms of equations in ``models/functional``, for devices that have them."""

from mochi_mm.models.kernels.pair_mixing import pair_mixing_cosines

__all__ = ['pair_mixing_cosines']
