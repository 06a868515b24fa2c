"""Reading the config that a run left, as data: nothing of it is executed."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

#: Settings that differ between any two runs and say nothing about them.
_NOT_COMPARED = ('work_dir', 'experiment_name', 'launcher', 'load_from', 'resume')


def parse_config(text: str) -> dict[str, Any]:
    """Return the settings of a written-out config by name.

    Only literals and ``dict(...)`` are understood; any other expression is kept as its text.

    Args:
        text: Python source of plain assignments, as MMEngine dumps a config.

    Raises:
        ValueError: The text is no Python source.
    """
    settings: dict[str, Any] = {}
    try:
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                settings[node.targets[0].id] = _value(node.value)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        what = str(error) or 'it is nested too deep'
        raise ValueError(f'the config cannot be read: {type(error).__name__}: {what}') from error
    return settings


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict' and not node.args:
        return {keyword.arg or '**': _value(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict) and all(node.keys):
        return {
            _text(key): _value(value)
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        }
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(child) for child in node.elts]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _text(node: ast.expr) -> str:
    value = _value(node)
    return value if isinstance(value, str) else repr(value)


def flatten(settings: Any, prefix: str = '') -> dict[str, str]:
    """Return every value by its dotted name, as text; an empty mapping or list is a value."""
    children: Any = None
    if isinstance(settings, Mapping):
        children = settings.items()
    elif isinstance(settings, (list, tuple)) and any(
        isinstance(child, (Mapping, list, tuple)) for child in settings
    ):
        children = enumerate(settings)
    if not children:
        return {prefix: repr(settings)}
    flat: dict[str, str] = {}
    for name, child in children:
        flat.update(flatten(child, f'{prefix}.{name}' if prefix else str(name)))
    return flat


def differences(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str | None]]]:
    """Return the dotted names whose values differ, with the value of each config.

    None stands for a setting that a config does not have.
    """
    flat = [flatten(dict(config)) if config else {} for config in configs]
    names = sorted({name for one in flat for name in one})
    rows = [(name, [one.get(name) for one in flat]) for name in names]
    return [
        (name, values)
        for name, values in rows
        if len(set(values)) > 1 and name.split('.')[0] not in _NOT_COMPARED
    ]
