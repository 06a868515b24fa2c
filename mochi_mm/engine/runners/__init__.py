"""Runner of this project, and its helpers."""

from mochi_mm.engine.runners.safe_runner import SafeRunner

__all__ = ['SafeRunner']
