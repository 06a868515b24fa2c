"""Place of the weights of a backbone in a file, whatever stands before their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from mochi_mm.files.fit import COUNTER
from mochi_mm.files.name_styles import with_our_names

_DEEPEST, _MOST = 6, 64  # a file of a million names is no reason to look for an hour


@dataclass(frozen=True)
class Found:
    """Weights that may be a backbone's.

    Attributes:
        prefix: Text before their names in the file.
        tensors: They, and what else has this prefix, under our names.
        style: How they were named, where otherwise than torchvision does.
        share: Share of the wanted names that are there, 0 to 1.
    """

    prefix: str
    tensors: dict[str, Tensor]
    style: str
    share: float


def behind(tensors: Mapping[str, Tensor], prefix: str, wanted: Iterable[str]) -> Found:
    """Return the weights whose names begin with ``prefix``, under our names.

    A further ``module.`` that all of them have, of a wrapper around the backbone alone, goes too.

    Args:
        tensors: A set of weights.
        prefix: Text before the names, such as ``encoder.``; may be empty.
        wanted: Names that the backbone wants.
    """
    inside = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
    if all(name.startswith('module.') for name in inside):
        inside = {name.removeprefix('module.'): value for name, value in inside.items()}
    needed = [name for name in wanted if name.split('.')[-1] != COUNTER]
    named, style = inside, ''
    if not any(name in inside for name in needed):
        named, style = with_our_names(inside)
    elif not all(name in inside for name in needed):  # some names are the same in both
        renamed = with_our_names(inside)
        if _count(renamed[0], needed) > _count(inside, needed):
            named, style = renamed
    return Found(prefix, named, style, _count(named, needed) / max(len(needed), 1))


def backbones_in(tensors: Mapping[str, Tensor], wanted: Iterable[str]) -> list[Found]:
    """Return the places of a set of weights that hold at least half of the wanted names.

    Args:
        tensors: A set of weights.
        wanted: Names that the backbone wants.

    Returns:
        Those that hold most of them, in the order of the file; more than one where several hold
        the same share, such as a trained and an averaged encoder.
    """
    wanted = list(wanted)
    needed = sum(name.split('.')[-1] != COUNTER for name in wanted)
    holds: Counter[str] = Counter()
    for name in tensors:
        parts = name.split('.')
        holds.update('.'.join([*parts[:i], '']) for i in range(min(len(parts), _DEEPEST)))
    places = [prefix for prefix, count in holds.items() if 2 * count >= needed]
    found = [behind(tensors, prefix, wanted) for prefix in places[:_MOST]]
    best = max((one.share for one in found), default=0.0)
    if best < 0.5:
        return []
    chosen: list[Found] = []
    for one in found:  # encoder. and encoder.module. are the same place
        if one.share == best and not any(one.prefix.startswith(c.prefix) for c in chosen):
            chosen.append(one)
    return chosen


def _count(tensors: Mapping[str, Tensor], names: Iterable[str]) -> int:
    return sum(name in tensors for name in names)
