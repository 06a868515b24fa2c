"""What happens around a training step."""

from mochi_mm.engine import hooks

__all__ = ['hooks']
