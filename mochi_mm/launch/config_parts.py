"""The parts of a config, at every depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def parts_of(node: Any) -> Iterator[Any]:
    """Yield every dict in a config, the outer ones first."""
    if isinstance(node, Mapping):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from parts_of(child)
