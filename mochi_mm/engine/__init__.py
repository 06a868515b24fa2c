"""Runner, loops, hooks and checkpoints around the training step."""

from mochi_mm.engine import hooks, initializers, loops, optim_wrappers, optimizers, runners

__all__ = ['hooks', 'initializers', 'loops', 'optim_wrappers', 'optimizers', 'runners']
