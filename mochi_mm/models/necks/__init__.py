"""Necks: from pooled features to the space where views are compared."""

from mochi_mm.models.necks.dense_cl_neck import DenseCLNeck
from mochi_mm.models.necks.mlp_neck import MLPNeck
from mochi_mm.models.necks.split_neck import SplitNeck

__all__ = ['DenseCLNeck', 'MLPNeck', 'SplitNeck']
