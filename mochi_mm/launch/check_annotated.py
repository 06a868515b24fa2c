"""Values of a component's arguments against the kinds that its signature names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mochi_mm.registry import SCOPE, constructors


def check_annotated(component: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse what is no bool where one is taken, and one value where several are.

    Only of this project's components, and only where every kind that the signature names is one
    that is known here; components check numbers and words themselves.

    Args:
        component: A class or function that a config names.
        arguments: Its keyword arguments in the config.

    Raises:
        ValueError: With the argument, its value and what is expected.
    """
    kinds = _annotations(component)
    for name, value in arguments.items():
        options = [option.strip() for option in kinds.get(name, '').split('|')]
        if all(option in ('bool', 'None') for option in options):
            fits, expected = isinstance(value, bool), 'True or False'
        elif all(option == 'None' or _is_tuple(option) for option in options):
            fits, expected = isinstance(value, (list, tuple)), 'a list'
        else:
            continue
        if not fits and not (value is None and 'None' in options):
            expected += ', or None' if 'None' in options else ''
            raise ValueError(f'{component.__name__} {name} is {value!r}; expected {expected}.')


def _is_tuple(option: str) -> bool:
    """Return whether a kind is a sequence of numbers."""
    return option.startswith(('tuple[int', 'tuple[float', 'Sequence[int', 'Sequence[float'))


def _annotations(component: Any) -> dict[str, str]:
    """Return the annotation of every argument, the outermost constructor's first."""
    found: dict[str, str] = {}
    for target in constructors(component):
        if getattr(target, '__module__', '').startswith(f'{SCOPE}.'):
            for name, kind in getattr(target, '__annotations__', {}).items():
                found.setdefault(name, kind if isinstance(kind, str) else '')
    return found
