"""The objectives of an algorithm by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from mochi_mm.structures.protocols import Classifies, Head

if TYPE_CHECKING:
    from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm


def named_heads(model: BaseAlgorithm) -> dict[str, Head]:
    """Return the head, if there is one, and the further heads."""
    first = {} if model.head is None else {'head': model.head}
    return {**first, **dict(model.heads.items())}


def classifier_of(model: BaseAlgorithm) -> Classifies | None:
    """Return the head that classifies, None where there is none.

    Raises:
        ValueError: Several do.
    """
    found = {
        name: head for name, head in named_heads(model).items() if isinstance(head, Classifies)
    }
    if len(found) > 1:
        raise ValueError(
            f'the heads {" and ".join(found)} both classify, so nothing says whose prediction is '
            'meant; expected one classifier in a model.'
        )
    return next(iter(found.values()), None)


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
