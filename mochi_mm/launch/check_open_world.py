"""One open world in all parts of a config."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mochi_mm.registry import DATASETS, METRICS, MODELS

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
        part
        for name, section in config.items()
        if name in _SECTIONS or name.endswith(_SUFFIXES)
        for part in _typed(section, name)
    ]
    for setting, types in _SHARED.items():
        found = [
            (f'{where}.{setting}', _value(p, setting))
            for where, p in parts
            if p['type'].split('.')[-1] in types
        ]
        for where, value in found[1:]:
            if value != found[0][1]:
                raise ValueError(
                    f'{found[0][0]} is {found[0][1]!r} and {where} is {value!r}; expected one '
                    f'value for all parts of an open world: set {setting} in the config, or in '
                    'each of them.'
                )


def _typed(node: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and settings of every component in a section."""
    if isinstance(node, Mapping):
        if isinstance(node.get('type'), str):
            yield where, node
        for name, child in node.items():
            yield from _typed(child, f'{where}.{name}')
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from _typed(child, f'{where}.{i}')


def _value(part: Mapping[str, Any], setting: str) -> Any:
    """Return a setting of a component, its default where the config does not say it."""
    if setting in part:
        return part[setting]
    registries = (DATASETS, MODELS, METRICS)
    component = next(c for r in registries if (c := r.find(part['type'])) is not None)
    return inspect.signature(component).parameters[setting].default
