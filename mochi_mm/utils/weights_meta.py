"""What a user of weights must know about them, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn


def describe_weights(model: nn.Module, cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the weights of ``model`` need to be used elsewhere.

    Args:
        model: The model, without a data-parallel wrapper.
        cfg: The config of the run.

    Returns:
        ``mean`` and ``std`` that images were normalised with (grey levels, three each, None where
        unknown), ``channel_order``, ``backbone`` (its config) and ``algorithm`` (type name).
    """
    preprocessor = getattr(model, 'data_preprocessor', None)
    statistics = {
        name: None if value is None else [float(v) for v in value.flatten()]
        for name in ('mean', 'std')
        for value in [getattr(preprocessor, name, None)]
    }
    model_config = cfg.get('model')
    backbone = model_config.get('backbone') if isinstance(model_config, Mapping) else None
    return dict(
        **statistics,
        channel_order='rgb',
        backbone=_plain(backbone),
        algorithm=type(model).__name__,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
