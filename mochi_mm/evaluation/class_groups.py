"""Classes in groups by how many images they had in training: many, medium and few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.argument_kinds import is_integer


def check_cuts(cuts: Any) -> tuple[int, int]:
    """Return the two cut points (many, few) between groups of classes.

    A class with more than ``many`` training images has many, one with fewer than ``few`` has few.

    Raises:
        ValueError: Not two integers, or ``many`` below ``few`` - 1, where groups would overlap.
    """
    pair = tuple(cuts) if isinstance(cuts, Sequence) and not isinstance(cuts, str) else ()
    whole = [n for n in pair if is_integer(n)]
    if len(pair) != 2 or len(whole) != 2 or not 1 <= pair[1] <= pair[0] + 1:
        raise ValueError(
            f'cuts is {cuts!r}; expected two integers, of training images above which a class has '
            'many and below which it has few, the first not below the second, such as (100, 20).'
        )
    return pair[0], pair[1]


def group_names(cuts: tuple[int, int]) -> tuple[str, str, str]:
    """Return the names of the groups, which say where they are cut."""
    many, few = cuts
    return f'many_over{many}', f'medium_{few}to{many}', f'few_below{few}'


def class_groups(counts: Tensor, cuts: tuple[int, int] = (100, 20)) -> dict[str, Tensor]:
    """Return (C,) bool, the classes of each group: many, medium, few.

    The cut points of ImageNet-LT (Liu et al. 2019) are the default.

    Args:
        counts: (C,) training images of each class.
        cuts: See :func:`check_cuts`.

    >>> groups = class_groups(torch.tensor([1280, 100, 20, 5]))
    >>> {name: mask.int().tolist() for name, mask in groups.items()}
    {'many_over100': [1, 0, 0, 0], 'medium_20to100': [0, 1, 1, 0], 'few_below20': [0, 0, 0, 1]}
    """
    many, few = counts > cuts[0], counts < cuts[1]
    return dict(zip(group_names(cuts), (many, ~many & ~few, few), strict=True))


def group_accuracy(
    hits: Tensor, totals: Tensor, counts: Tensor, cuts: tuple[int, int] = (100, 20)
) -> dict[str, float]:
    """Return the accuracy in percent of each group that has test images.

    Args:
        hits: (C,) test images of each class that were classified right.
        totals: (C,) test images of each class.
        counts: (C,) training images of each class.
        cuts: See :func:`check_cuts`.
    """
    found = {}
    for name, mask in class_groups(counts, cuts).items():
        number = int(totals[mask].sum())
        if number:
            found[name] = 100 * int(hits[mask].sum()) / number
    return found


def hits_by_class(right: Tensor, labels: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Return (C,) test images of each class that were classified right, and (C,) all of them.

    Args:
        right: (n,) bool, images that were classified right.
        labels: (n,) their classes.
        num_classes: C.
    """
    return (
        torch.bincount(labels[right], minlength=num_classes),
        torch.bincount(labels, minlength=num_classes),
    )
