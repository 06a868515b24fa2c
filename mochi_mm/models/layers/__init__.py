"""Layers that torch does not have."""

from mochi_mm.models.layers.split_batch_norm import SplitBatchNorm2d, split_batch_norm

__all__ = ['SplitBatchNorm2d', 'split_batch_norm']
