"""Numbers of images of the classes of a long tail."""

from __future__ import annotations

import numpy as np

from mochi_mm.argument_kinds import is_number
from mochi_mm.datasets.rounded_up import rounded_up


def long_tail_counts(largest: int, num_classes: int, factor: float) -> list[int]:
    """Return ``n_c = floor( largest * factor^(c / (C - 1)) )`` for the classes c = 0 to C - 1.

    The exponential profile of CIFAR-10-LT and CIFAR-100-LT (Cui et al. 2019; Cao et al. 2019). What
    tables call an imbalance of 100 is the factor 0.01.

    Args:
        largest: n_0, images of the first class.
        num_classes: C.
        factor: Images of the last class over those of the first, in (0, 1].

    Raises:
        ValueError: A factor outside (0, 1], no class, or a class that is left without an image.

    >>> long_tail_counts(5000, 10, 0.01)
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    """
    if not is_number(factor) or not 0 < factor <= 1:
        raise ValueError(
            f'the factor of LongTail is {factor!r}; expected images of the last class over '
            'those of the first, above 0 and at most 1, such as 0.01.'
        )
    if num_classes < 1 or largest < 1:
        raise ValueError(
            f'a long tail of {num_classes} classes and {largest} images of the first; expected at '
            'least one of each.'
        )
    last = max(1, num_classes - 1)
    # 0.29 of 100 are 29, whatever the product says
    counts = [int(largest * factor ** (c / last) + 1e-9) for c in range(num_classes)]
    if counts[-1] < 1:
        raise ValueError(
            f'{largest} images of the first class and the factor {factor:g} leave '
            f'{largest * factor:g} images to the last of {num_classes} classes; expected at least '
            f'1: set factor to {rounded_up(1 / largest)} or more, or take more images.'
        )
    return counts


def long_tail_rows(
    labels: np.ndarray, num_classes: int, factor: float, seed: int = 0
) -> np.ndarray:
    """Return the rows of a long tail, in increasing order.

    Each class is shuffled by one legacy NumPy generator, class after class, and gives its first
    ``n_c`` rows, with ``n_0`` the images of the smallest class: of the files of CIFAR and with the
    seed 0, the images of the field's loaders. A smaller factor takes a part of a larger one's.

    Args:
        labels: (n,) class of each image, 0 to C - 1.
        num_classes: C.
        factor: See :func:`long_tail_counts`.
        seed: Random seed of the draw.

    Raises:
        ValueError: An image without a class, a class without an image, a factor out of range.
    """
    _check_labels(labels, num_classes)
    sizes = np.bincount(labels, minlength=num_classes)
    counts = long_tail_counts(int(sizes.min()), num_classes, factor)
    generator = np.random.RandomState(seed)  # its stream is frozen
    chosen = []
    for c, count in enumerate(counts):
        rows = np.flatnonzero(labels == c)
        generator.shuffle(rows)
        chosen.append(rows[:count])
    return np.sort(np.concatenate(chosen))


def _check_labels(labels: np.ndarray, num_classes: int) -> None:
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if len(wrong):
        raise ValueError(
            f'{len(wrong)} of {len(labels)} images have labels such as {int(wrong[0])}; a long '
            f'tail of {num_classes} classes needs a label from 0 to {num_classes - 1} for each.'
        )
    sizes = np.bincount(labels, minlength=num_classes)
    if not sizes.all():
        raise ValueError(
            f'class {int(sizes.argmin())} has 0 of the {len(labels)} images; a long tail of '
            f'{num_classes} classes needs at least one image of each.'
        )
