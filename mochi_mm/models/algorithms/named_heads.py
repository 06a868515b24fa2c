"""The objectives of an algorithm by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from mochi_mm.structures.protocols import Classifies, Head

if TYPE_CHECKING:
    from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm

#: Name of the main objective.
MAIN = 'head'


def named_heads(model: BaseAlgorithm) -> dict[str, Head]:
    """Return the head, if there is one, and the further heads."""
    first = {} if model.head is None else {MAIN: model.head}
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

    Where two heads report one name, those under ``heads`` put their own name before all that they
    report: ``sup.loss_contrast`` of ``heads=dict(sup=...)``.

    Args:
        results: Losses and statistics that each head returned, by its name; ``head`` is the main
            one, whose names stay.
    """
    reports = Counter(name for result in results.values() for name in result)
    joined: dict[str, Tensor] = {}
    for head, result in results.items():
        shared = any(reports[name] > 1 for name in result)
        prefix = f'{head}.' if shared and head != MAIN else ''
        joined.update({prefix + name: value for name, value in result.items()})
    return joined


def check_head_names(heads: object) -> None:
    """Refuse further heads without names, or with ones that would replace or optimize others.

    Raises:
        ValueError: There is one.
    """
    if not isinstance(heads, Mapping):
        raise ValueError(
            f'heads is a {type(heads).__name__}; expected a name for each further head, '
            'heads=dict(name=dict(type=...)).'
        )
    for name in heads:
        if name == MAIN:
            raise ValueError(
                "heads has a head 'head', which is the name of the main objective and would take "
                'its place; give it another name, or set it as head of the model.'
            )
        if 'loss' in name or not name.isidentifier() or hasattr(nn.ModuleDict(), name):
            raise ValueError(
                f'heads has a head {name!r}; expected a word such as sup, which is no method of a '
                "ModuleDict and has no 'loss' in it: what a head reports may begin with its name, "
                "and whatever has 'loss' in its name is optimized."
            )
