"""One open world in all parts of a config."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mochi_mm.launch.config_parts import placed_parts
from mochi_mm.registry import DATASETS, METRICS, MODELS, component_name

#: Settings that several components have to agree on.
_SHARED = {
    'num_known': ('OpenWorld', 'OpenConHead', 'OpenWorldAccuracy'),
    'labeled_share': ('OpenWorld', 'OpenConHead'),
    'seed': ('OpenWorld',),
}
_SECTIONS = ('model', 'custom_hooks')
_SUFFIXES = ('_dataloader', '_evaluator')


def check_open_world(config: Mapping[str, Any]) -> None:
    """Refuse parts of a config that do not speak of one open world.

    A head whose share of labels is not the data set's has a wrong prior; a metric with other known
    classes, or unlabeled images of another draw, measure something else under the same name.

    Args:
        config: A whole config.

    Raises:
        ValueError: With both places and values.
    """
    parts = [
        (where, part)
        for name, section in config.items()
        if name in _SECTIONS or name.endswith(_SUFFIXES)
        for where, part in placed_parts(section, name)
        if isinstance(part.get('type'), str)
    ]
    for setting, types in _SHARED.items():
        found = [
            (f'{where}.{setting}', _value(p, setting))
            for where, p in parts
            if component_name(p) in types
        ]
        for where, value in found[1:]:
            if value != found[0][1]:
                raise ValueError(
                    f'{found[0][0]} is {found[0][1]!r} and {where} is {value!r}; expected one '
                    f'value for all parts of an open world: set {setting} in the config, or in '
                    'each of them.'
                )


def _value(part: Mapping[str, Any], setting: str) -> Any:
    """Return a setting of a component, its default where the config does not say it."""
    if setting in part:
        return part[setting]
    registries = (DATASETS, MODELS, METRICS)
    component = next(c for r in registries if (c := r.find(part['type'])) is not None)
    return inspect.signature(component).parameters[setting].default
