"""The classes of a detection data set, as its config states them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYS = ('classes', 'palette')


def check_metainfo(metainfo: Mapping[str, Any]) -> None:
    """Raise unless ``classes`` are a list of different names and nothing stands beside them.

    Args:
        metainfo: Meta information of a data set, the argument ``metainfo`` included.

    Raises:
        ValueError: A key that nothing reads, such as the ``CLASSES`` of mmdet 2; a text in place
            of names, no name, one twice, or one that is empty or has blanks at its ends.
    """
    unknown = [key for key in metainfo if key not in KEYS]
    if unknown:
        raise ValueError(
            f'metainfo has {unknown[0]!r}, which nothing reads; expected {" or ".join(KEYS)} '
            '(lower case).'
        )
    classes = metainfo['classes']
    if isinstance(classes, str):
        raise ValueError(
            f'metainfo.classes is the text {classes!r}; expected a list of names, ({classes!r},) '
            'for one class, or a text file with one name a line.'
        )
    if not classes or len(set(classes)) != len(classes):
        raise ValueError(
            f'metainfo.classes is {tuple(classes)}; expected at least one name, each once.'
        )
    for name in classes:
        if not isinstance(name, str) or not name or name != name.strip().lstrip('\ufeff'):
            raise ValueError(
                f'metainfo.classes has the name {name!r}; expected a text without blanks or a '
                'byte-order mark at its ends, and no empty line in a file of names.'
            )
