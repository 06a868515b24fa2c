"""From pooled features to the space where views are compared."""

from mochi_mm.models.necks.mlp_neck import MLPNeck

__all__ = ['MLPNeck']
