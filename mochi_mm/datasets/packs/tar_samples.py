"""Images and labels in a tar, in the way of webdataset: files of one sample share a beginning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mochi_mm.datasets.packs.tar_members import TarMember, tar_members
from mochi_mm.files.shown import shown, shown_path

#: Endings of images and of labels, without the dot.
IMAGES = ('jpg', 'jpeg', 'png', 'webp', 'bmp', 'ppm', 'tif', 'tiff')
LABEL = 'cls'
_MAX_LABEL = 20


@dataclass(frozen=True)
class TarSample:
    """An image of a tar and its label, -1 where it has none."""

    image: TarMember
    label: int


def tar_samples(path: str | Path) -> list[TarSample]:
    """Return the images of a tar in their order.

    The files ``x/000.jpg`` and ``x/000.cls`` are one sample, ``x/000``: what stands before the
    first dot of the name. A label is a number of 0 or more, as text. Other files are passed over.

    Raises:
        ValueError: It is no whole tar, has two images or labels of one sample, or a label that is
            no number; names it.
    """
    images: dict[str, TarMember] = {}
    labels: dict[str, int] = {}
    for key, ending, member in _keyed(path):
        found = images if ending in IMAGES else labels if ending == LABEL else None
        if found is None:
            continue
        if key in found:
            what = 'labels' if ending == LABEL else 'images'
            raise ValueError(
                f'{shown_path(path)} has two {what} of the sample {shown(key)}; expected one of '
                'each. Write the tar anew.'
            )
        if ending == LABEL:
            labels[key] = _label(path, key, member)
        else:
            images[key] = member
    return [TarSample(member, labels.get(key, -1)) for key, member in images.items()]


def _keyed(path: str | Path) -> Iterator[tuple[str, str, TarMember]]:
    for member in tar_members(path):
        folder, slash, name = member.name.rpartition('/')
        stem, _, ending = name.partition('.')
        if stem:
            yield folder + slash + stem, ending.lower(), member


def _label(path: str | Path, key: str, member: TarMember) -> int:
    with open(path, 'rb') as file:
        text = os.pread(file.fileno(), min(member.size, _MAX_LABEL), member.offset).strip()
    if not text.isdigit() or member.size >= _MAX_LABEL:
        raise ValueError(
            f'{shown_path(path)} has the label {shown(text)} of the sample {shown(key)}; expected '
            'a number of 0 or more, as text.'
        )
    return int(text)
