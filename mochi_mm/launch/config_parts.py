"""The parts of a config, at every depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def parts_of(node: Any) -> Iterator[Any]:
    """Yield every dict in a config, the outer ones first."""
    for _, part in placed_parts(node, ''):
        yield part


def placed_parts(node: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted place and settings of every dict in a config, the outer ones first.

    Args:
        node: A part of a config.
        where: Place of the node.
    """
    if isinstance(node, Mapping):
        yield where, node
        for name, child in list(node.items()):
            yield from placed_parts(child, f'{where}.{name}')
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from placed_parts(child, f'{where}.{i}')
