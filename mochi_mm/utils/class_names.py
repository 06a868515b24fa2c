"""Checks that the labels of two data sets mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def class_names(dataset: Any) -> tuple[str, ...]:
    """Return the names of a data set's classes in the order of the labels; none where unknown."""
    return names_in(getattr(dataset, 'metainfo', None))


def names_in(metainfo: Any) -> tuple[str, ...]:
    """Return the names in a ``metainfo`` as MMEngine has it; none where it holds no list."""
    names = metainfo.get('classes') if isinstance(metainfo, Mapping) else None
    if names is None or isinstance(names, str):
        return ()
    return tuple(map(str, names))


def check_same_names(
    first: Sequence[str], second: Sequence[str], first_name: str, second_name: str
) -> None:
    """Refuse two lists of classes under which a label means two things.

    A label is a position in the sorted class folders, so one folder more or less moves all that
    follow: an accuracy is counted nevertheless, and means nothing. A list without names passes.

    Args:
        first: Names of the classes, in the order of the labels.
        second: Names of the classes of the other, in the order of the labels.
        first_name: Name of the first for the error, such as 'bank'.
        second_name: Name of the second for the error, such as 'query'.

    Raises:
        ValueError: Names the classes that only one has, or the first label that differs.
    """
    if not first or not second or tuple(first) == tuple(second):
        return
    parts = [
        f'only the {name} data set has {_some([c for c in mine if c not in others])}'
        for name, mine, others in ((first_name, first, second), (second_name, second, first))
        if set(mine) - set(others)
    ]
    if not parts:
        i = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
        parts = [
            'one lists a class twice'
            if i is None
            else f'label {i} is {first[i]!r} and {second[i]!r}'
        ]
    raise ValueError(
        f'the {first_name} data set has {len(first)} classes, the {second_name} data set '
        f'{len(second)}, and they differ: {"; ".join(parts)}. Their labels do not mean the same, '
        'so no accuracy can be counted; give both the same class folders, or name those to use '
        'with classes=[...] in both.'
    )


def check_same_classes(first: Any, second: Any, first_name: str, second_name: str) -> None:
    """Refuse two data sets whose classes differ, see :func:`check_same_names`."""
    check_same_names(class_names(first), class_names(second), first_name, second_name)


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(map(repr, names[:most])) + more
