"""Optimizer wrappers: from a loss to a parameter update."""

from mochi_mm.engine.optim_wrappers.bf16_optim_wrapper import BF16OptimWrapper

__all__ = ['BF16OptimWrapper']
