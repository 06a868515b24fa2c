"""The objectives of an algorithm by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from mochi_mm.structures.protocols import Head

if TYPE_CHECKING:
    from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm


def named_heads(model: BaseAlgorithm) -> dict[str, Head]:
    """Return the head, if there is one, and the further heads."""
    first = {} if model.head is None else {'head': model.head}
    return {**first, **dict(model.heads.items())}


def join_losses(results: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the losses and statistics of several heads in one dict.

    Args:
        results: Losses and statistics that each head returned, by its name.

    Raises:
        ValueError: Two heads report the same name.
    """
    joined: dict[str, Tensor] = {}
    for name, result in results.items():
        if twice := sorted(set(joined) & set(result)):
            raise ValueError(
                f'the head {name} reports {", ".join(twice)}, as a head before it does; use heads '
                'with names of their own, such as NTXentHead and FairKLHead.'
            )
        joined.update(result)
    return joined
