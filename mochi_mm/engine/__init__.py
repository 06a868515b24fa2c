"""What happens around a training step."""

from mochi_mm.engine import hooks, optim_wrappers, optimizers

__all__ = ['hooks', 'optim_wrappers', 'optimizers']
