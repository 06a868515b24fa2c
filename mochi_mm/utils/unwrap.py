"""Access to the model of a run, whatever it is wrapped in."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> Any:
    """Return the model inside a data-parallel wrapper."""
    inner: Any = model.module if is_model_wrapper(model) else model
    return inner
