"""Which images of a pack a data set takes, and the labels they have there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from mochi_mm.datasets.packs.pack_reader import PackReader
from mochi_mm.datasets.path_list import read_paths
from mochi_mm.files.shown import shown_path
from mochi_mm.registry import nearest


@dataclass(frozen=True)
class Chosen:
    """The images of a data set.

    Attributes:
        rows: (n,) int64, their numbers in the pack; None for all, in order.
        classes: Names of the classes.
        labels: (n,) int64.
    """

    rows: np.ndarray | None
    classes: tuple[str, ...]
    labels: np.ndarray


def select_rows(
    pack: PackReader,
    classes: Sequence[str] | None = None,
    exclude: str | Path | None = None,
    include: str | Path | None = None,
) -> Chosen:
    """Return the images of some classes without those of one list, or only those of another.

    Args:
        pack: The pack.
        classes: Names of classes, sorted; None for all; empty for all images, without labels.
        exclude: A file with the names of images to leave out.
        include: A file with the names of the only images to take.

    Raises:
        FileNotFoundError: No such list.
        ValueError: A class that the pack does not have, a line that is no image, or nothing left.
    """
    # A copy: torch takes no memory that it may not write to.
    names, labels = pack.record.classes, np.array(pack.labels)
    if classes is not None:
        names, labels = _of_classes(pack, classes, labels)
    if classes is None and exclude is None and include is None:
        return Chosen(None, names, labels)
    kept = labels >= 0 if classes else np.ones(len(labels), dtype=bool)
    if exclude is not None:
        kept &= ~_listed(pack, exclude, 'exclude', np.ones_like(kept))
    if include is not None:
        kept = _listed(pack, include, 'include', kept)
    if not kept.any():
        raise ValueError(
            f'no image of the pack {shown_path(pack.folder)} is left; expected some that classes, '
            'exclude and include leave together.'
        )
    rows = np.flatnonzero(kept)
    print_log(f'{len(rows)} of {len(pack)} images of the pack are taken', logger='current')
    gone = [name for label, name in enumerate(names) if not (labels[rows] == label).any()]
    if gone:
        print_log(
            f'{len(gone)} of {len(names)} classes of the pack have no image left, by exclude or '
            f'include: {", ".join(gone[:5])}',
            'current',
            logging.WARNING,
        )
    return Chosen(rows, names, labels[rows])


def _of_classes(
    pack: PackReader, classes: Sequence[str], labels: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names and, for all images of the pack, the labels among them; -1 for others."""
    names = pack.record.classes
    missing = [name for name in classes if name not in names]
    if missing:
        close = ', '.join(nearest(missing[0], names)) or 'none'
        raise ValueError(
            f'{len(missing)} of {len(classes)} listed classes are not in the pack '
            f'{shown_path(pack.folder)}: {", ".join(missing[:5])}. Nearest to {missing[0]!r}: '
            f'{close}. Its {len(names)} classes are those of the folder that was packed.'
        )
    number = {name: i for i, name in enumerate(classes)}
    # One more at the end: label -1 finds it.
    table = np.array([*(number.get(name, -1) for name in names), -1], dtype=np.int64)
    return tuple(classes), table[labels]


def _listed(pack: PackReader, file: str | Path, setting: str, among: np.ndarray) -> np.ndarray:
    """Return which images of the pack a list names, (N,) bool; all of them must be ``among``."""
    path = Path(file).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f'{setting} names {str(file)!r}, which is no file; expected a text file with the name '
            'of one image a line.'
        )
    listed = read_paths(path)
    names = pack.names()
    found = np.fromiter((name in listed for name in names), dtype=bool, count=len(names))
    unmatched = listed.difference(names).union(names[row] for row in np.flatnonzero(found & ~among))
    if unmatched or not listed:
        some = ', '.join(map(repr, sorted(unmatched)[:5]))
        raise ValueError(
            f'{len(unmatched)} of the {len(listed)} lines of {str(file)!r} name no image of the '
            f'pack {shown_path(pack.folder)} that is taken: {some}'
            f'{", ..." if len(unmatched) > 5 else ""}. Expected paths relative to the folder that '
            'was packed, at least one.'
        )
    return found
