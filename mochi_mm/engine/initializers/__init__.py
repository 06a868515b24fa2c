"""Initial weights before training."""

from mochi_mm.engine.initializers.pretrained import Pretrained

__all__ = ['Pretrained']
