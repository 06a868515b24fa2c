"""Optimizer wrappers: from a loss to a parameter update; rates of parameters."""

from mochi_mm.engine.optim_wrappers.bf16_optim_wrapper import BF16OptimWrapper
from mochi_mm.engine.optim_wrappers.layer_wise_rates import LayerWiseRates

__all__ = ['BF16OptimWrapper', 'LayerWiseRates']
