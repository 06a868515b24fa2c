"""Layers that torch does not have."""

from mochi_mm.models.layers.split_batch_norm import SplitBatchNorm2d, split_batch_norm
from mochi_mm.models.layers.subnet_bank import SubnetBank

__all__ = ['SplitBatchNorm2d', 'SubnetBank', 'split_batch_norm']
