"""Building from a config without knowing about registries and scopes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import registry as root

from mochi_mm.launch.config import load_config
from mochi_mm.registry import SCOPE, own_registries, registry_of

ConfigLike = Mapping[str, Any] | str | Path


def build(config: ConfigLike) -> Any:
    """Build a component, or the model of a whole config; the config stays as it is.

    Modules that stand in the config are parts of what is built, not copied.

    Weights are as the constructors leave them: call ``init_weights()`` as a runner would, or take
    :func:`mochi_mm.get_model`.

    Args:
        config: A dict with ``type``, as it stands anywhere in a config; a whole config, as a dict
            or a Config, whose ``model`` is built; or the path of one.

    Returns:
        What ``type`` names: a module, a transform, a data set, a hook.

    Raises:
        FileNotFoundError: No config at that path.
        KeyError: An unknown component, with the nearest names.
        ValueError: Neither ``type`` nor ``model``, or an argument that a component does not take.

    >>> build(dict(type='FeatureQueue', length=8, dim=4))
    FeatureQueue(length=8, dim=4)
    """
    if isinstance(config, (str, Path)):
        config = load_config(config)
    if not isinstance(config, Mapping) and hasattr(config, '_cfg_dict'):
        config = config._cfg_dict  # a Config is no mapping
    if not isinstance(config, Mapping) or not ('type' in config or 'model' in config):
        raise ValueError(
            f'{_short(config)} cannot be built; expected a dict with type, such as '
            "dict(type='FeatureQueue', length=4096), a whole config with model, or the path of one."
        )
    if 'type' in config:
        return _component(config, SCOPE)
    return _component(config['model'], config.get('default_scope') or SCOPE)


def _component(settings: Mapping[str, Any], scope: str) -> Any:
    """Build a component among those of ``scope``, which its own parts then belong to."""
    settings = dict(_copied(dict(settings)), _scope_=scope)
    if scope != SCOPE:
        return root.MODELS.build(settings)
    kind = settings['type']
    registry = registry_of(kind) if isinstance(kind, str) else own_registries()[0]
    return registry.build(settings)


def _copied(value: Any) -> Any:
    """Return dicts and lists copied all the way down, and what they hold as it is."""
    if isinstance(value, dict):
        settings = copy.copy(value)
        for key, part in value.items():
            settings[key] = _copied(part)
        return settings
    if type(value) in (list, tuple):
        return type(value)(_copied(part) for part in value)
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
