"""Record that a user of weights needs, as plain data in the checkpoint."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from mochi_mm.registry import MODELS


def describe_weights(model: nn.Module, cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record that a checkpoint carries under ``meta['mochi_mm']``.

    Args:
        model: The model, without a data-parallel wrapper.
        cfg: The config of the run.

    Returns:
        ``mean`` and ``std`` (a gray level for each channel, in their order; None where images are
        not normalized), ``channel_order`` (``rgb``, ``bgr``, a color space such as ``lab``, or
        ``4 channels`` where images have another number than three; None where unknown),
        ``backbone`` (its config, default arguments written out), ``algorithm`` (type name) and
        ``head`` (type name, with its mixers; None where there is none).
        Numbers, strings, lists and dicts only.
    """
    backbone = (cfg.get('model') or {}).get('backbone')
    return dict(
        **describe_input(getattr(model, 'data_preprocessor', None)),
        backbone=_plain(_with_defaults(backbone) if isinstance(backbone, Mapping) else None),
        algorithm=type(model).__name__,
        head=_head((cfg.get('model') or {}).get('head')),
    )


def describe_input(preprocessor: nn.Module | None) -> dict[str, Any]:
    """Return ``mean``, ``std`` and ``channel_order`` of the images that reach the backbone.

    Args:
        preprocessor: This project's, or one of the mm libraries, which read images as BGR and may
            exchange the channels.
    """
    found: dict[str, Any] = {}
    for name in ('mean', 'std'):
        value = getattr(preprocessor, name, None)
        found[name] = None if value is None else [float(v) for v in value.flatten()]
    exchanged = getattr(preprocessor, '_channel_conversion', None)
    if exchanged is not None:
        found['channel_order'] = 'rgb' if exchanged else 'bgr'
    else:
        space = getattr(preprocessor, 'space', 'rgb')  # of ColorSpaceDataPreprocessor
        found['channel_order'] = None if found['mean'] is None else space
        count = 3 if found['mean'] is None else len(found['mean'])
        if count != 3:
            found['channel_order'] = f'{count} channel{"s" * (count != 1)}'
    return found


def _head(config: Any) -> str | None:
    if not isinstance(config, Mapping) or not isinstance(config.get('type'), str):
        return None
    mixers = [str(mixer.get('type')) for mixer in config.get('mixers') or ()]
    return config['type'] + (f' with {", ".join(mixers)}' if mixers else '')


def _with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``config`` with the defaults of the arguments that it leaves out."""
    name = config.get('type')
    if not isinstance(name, str) or name not in MODELS:
        return dict(config)
    parameters = inspect.signature(MODELS.get(name)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {**defaults, **config}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
