"""A fixed, class-balanced part of a folder of images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import numpy as np


def balanced_subset(paths: Iterable[str], per_class: int, seed: int) -> list[str]:
    """Return ``per_class`` paths of each class, sorted.

    What is drawn of a class depends on the seed, the name of the class and its file names alone: a
    smaller subset of one seed is part of a larger one, and other classes change nothing.

    Args:
        paths: ``class/.../name``, in any order.
        per_class: Number of paths per class.
        seed: Random seed of the draw.

    Raises:
        ValueError: A path without a class, or a class with fewer images.
    """
    chosen: list[str] = []
    for name, files in _by_class(paths, per_class).items():
        key = int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], 'big')
        order = np.random.default_rng([seed, key]).permutation(len(files))
        chosen += [files[i] for i in order[:per_class]]
    return sorted(chosen)


def keyed_split(paths: Iterable[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """Return the paths that are left and those that are drawn, a share of each class, sorted.

    What is drawn of a class depends on the seed, the name of the class and its file names alone.

    Args:
        paths: ``class/.../name``, in any order.
        share: Share of each class that is drawn, at least one path, inside (0, 1).
        seed: Random seed of the draw.

    Raises:
        ValueError: A path without a class, or a class with a single path.
    """
    left: list[str] = []
    drawn: list[str] = []
    for name, files in _by_class(paths, 2).items():
        key = int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], 'big')
        order = np.random.default_rng([seed, key, 1]).permutation(len(files))
        count = min(max(1, round(share * len(files))), len(files) - 1)
        drawn += [files[i] for i in order[:count]]
        left += [files[i] for i in order[count:]]
    return sorted(left), sorted(drawn)


def first_of_each(paths: Iterable[str], per_class: int) -> list[str]:
    """Return the first ``per_class`` paths of each class by name, sorted.

    Args:
        paths: ``class/.../name``, in any order.
        per_class: Number of paths per class.

    Raises:
        ValueError: A path without a class, or a class with fewer images.
    """
    classes = _by_class(paths, per_class)
    return sorted(path for files in classes.values() for path in files[:per_class])


def _by_class(paths: Iterable[str], per_class: int) -> dict[str, list[str]]:
    """Return the sorted paths of each class, at least ``per_class`` of each."""
    classes: dict[str, list[str]] = {}
    for path in paths:
        name, slash, _ = path.partition('/')
        if not slash:
            raise ValueError(f'{path!r} lies in no class folder; expected class/name.')
        classes.setdefault(name, []).append(path)
    few = sorted((len(files), name) for name, files in classes.items())[:1]
    if not few or per_class < 1 or few[0][0] < per_class:
        raise ValueError(
            f'{per_class} images of each class are wanted; '
            + (f'{few[0][1]!r} has {few[0][0]}.' if few else 'there are no images.')
            + ' Expected at least one, and no more than the smallest class has.'
        )
    return {name: sorted(files) for name, files in classes.items()}
