"""Which of several near-duplicates stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Group:
    """An image that stays, and the near-duplicates of it that go.

    Attributes:
        kept: Its number.
        left_out: Numbers of the others, in order.
    """

    kept: int
    left_out: tuple[int, ...]


def keep_one(pairs: np.ndarray, names: Sequence[str], pixels: Sequence[int]) -> list[Group]:
    """Return the groups of near-duplicates, by the name of what stays.

    Images are asked in order, the largest first and then by name; one that is no near-duplicate of
    an image that stays already stays itself. So whatever goes is near one that stays, two that stay
    are never near each other, and neither chance nor the order of the pairs has a say.

    Args:
        pairs: (P, 2) numbers of near-duplicates.
        names: Name of each image.
        pixels: Pixels of each image, width times height.

    >>> import numpy as np
    >>> keep_one(np.array([[0, 1], [1, 2]]), ['a', 'b', 'c'], [4, 9, 4])
    [Group(kept=1, left_out=(0, 2))]
    """
    near: dict[int, set[int]] = {}
    for first, second in pairs.tolist():
        near.setdefault(first, set()).add(second)
        near.setdefault(second, set()).add(first)
    groups: dict[int, list[int]] = {}
    order = {
        image: place
        for place, image in enumerate(sorted(near, key=lambda i: (-pixels[i], names[i])))
    }
    for image in order:
        owner = min(near[image] & groups.keys(), key=order.__getitem__, default=None)
        if owner is None:
            groups[image] = []
        else:
            groups[owner].append(image)
    found = [Group(kept, tuple(sorted(others))) for kept, others in groups.items() if others]
    return sorted(found, key=lambda group: names[group.kept])
