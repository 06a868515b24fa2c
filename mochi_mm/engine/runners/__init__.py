"""What drives a run."""

from mochi_mm.engine.runners.safe_runner import SafeRunner

__all__ = ['SafeRunner']
