"""Where weights come from before training."""

from mochi_mm.engine.initializers.pretrained import Pretrained

__all__ = ['Pretrained']
