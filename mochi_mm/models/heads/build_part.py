"""Parts of a head, given as configs or modules."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from mochi_mm.registry import MODELS

Part = TypeVar('Part', bound=nn.Module)


def build_part(part: dict | nn.Module, kind: type[Part]) -> Part:
    """Return a part, built where it is a config; its ``type`` may be left out.

    Args:
        part: Config or module.
        kind: Class of the part, or a base class of it.

    Raises:
        ValueError: It is no ``kind``.
    """
    if isinstance(part, dict):
        part = MODELS.build({'type': kind.__name__, **part})
    if not isinstance(part, kind):
        raise ValueError(f'{type(part).__name__} is no {kind.__name__}; expected one.')
    return part


def build_optional(part: dict | nn.Module | None, kind: type[Part]) -> Part | None:
    """Return :func:`build_part`, or None for None."""
    return None if part is None else build_part(part, kind)
