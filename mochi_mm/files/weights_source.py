"""A file of weights that has been read, and whose writer is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.find_backbone import Found, backbones_in, behind
from mochi_mm.files.fit import some
from mochi_mm.files.origin import NOT_NORMALIZED, ORIGINS, Input, Origin
from mochi_mm.files.shown import shown_path
from mochi_mm.files.weight_sets import WeightSet, counted, named, weights_of
from mochi_mm.files.weights_record import record_of

_FIRST = 'conv1.weight'


@dataclass(frozen=True)
class Source:
    """Weights of a file, with their origin and record.

    Attributes:
        path: The file.
        origin: Writer of the file.
        tensors: Weights of the backbone under torchvision's names.
        others: Number of further tensors of their set, by the first part of their names.
        record: Record of the file about itself (``meta['mochi_mm']``); None without one.
        taken: The set of weights that they are from.
    """

    path: Path
    origin: Origin
    tensors: dict[str, Tensor]
    others: dict[str, int]
    record: dict[str, Any] | None
    taken: WeightSet

    @property
    def input(self) -> Input:
        """Return the images trained on: as recorded, else as the code of the origin has it."""
        return self.origin.input if self.record is None else input_recorded(self.record)


def input_recorded(record: Mapping[str, Any] | None) -> Input:
    """Return the images that a record names; unknown ones where there is no record."""
    if record is None:
        return Input()
    mean, std = record.get('mean'), record.get('std')
    return Input(
        NOT_NORMALIZED.mean if mean is None else tuple(mean),
        NOT_NORMALIZED.std if std is None else tuple(std),
        record.get('channel_order'),
    )


def read_source(path: str | Path, wanted: Iterable[str], key: str | None = None) -> Source:
    """Return the weights of the file ``path``, with their origin and record.

    Args:
        path: The file.
        wanted: Names that the backbone wants.
        key: See :func:`mochi_mm.files.weight_sets.weights_of`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is no checkpoint, or holds no such backbone.
    """
    path = local_path(path)
    return recognize(read_checkpoint(path), path, wanted, key)


def recognize(
    content: Mapping[str, Any], path: Path, wanted: Iterable[str], key: str | None = None
) -> Source:
    """Return the weights of a file that has been read, with their origin and record.

    A file of no known origin is taken where one place in it holds the names that are wanted.

    Args:
        content: Content of the file.
        path: The file.
        wanted: Names that the backbone wants.
        key: See :func:`mochi_mm.files.weight_sets.weights_of`.

    Raises:
        ValueError: The file is no checkpoint; its names are those of no known origin and not those
            that are wanted, or several places hold them.
    """
    taken, wanted = weights_of(content, path, key), list(wanted)
    known = [
        (origin, found)
        for origin in ORIGINS
        if origin.fits(taken.tensors)
        and (found := behind(taken.tensors, origin.prefix, wanted)).tensors
    ]
    choices = [(origin, found) for origin, found in known if found.share > 0]
    if not choices:
        choices = [(_unknown(found), found) for found in backbones_in(taken.tensors, wanted)]
        if len(choices) > 1:
            raise ValueError(_several(path, taken, [found for _, found in choices]))
    if not choices and not known:
        raise ValueError(_refusal(path, taken))
    origin, found = (choices or known)[0]
    outside = Counter(n.split('.')[0] for n in taken.tensors if not n.startswith(found.prefix))
    record = record_of(content, path)
    if record is not None:
        origin = replace(origin, name=f'mochi_mm, {record["algorithm"] or "algorithm unknown"}')
    return Source(path, origin, found.tensors, dict(outside), record, taken)


def _unknown(found: Found) -> Origin:
    style = f', named {found.style}' if found.style else ''
    if not found.prefix:
        return Origin(f'bare weights under the names of the backbone{style}', '')
    return Origin(f'an unknown program (behind {named(found.prefix)}{style})', found.prefix)


def _several(path: Path, taken: WeightSet, found: list[Found]) -> str:
    places = [named(one.prefix.rstrip('.')) for one in found]
    channels = [one.tensors[_FIRST].shape[1:2] for one in found if _FIRST in one.tensors]
    halves = ''
    if len(set(channels)) > 1:
        halves = ' Networks that see channels of their own (CMC) together fit a SplitBackbone.'
    return (
        f'{shown_path(path)} holds the backbone {len(found)} times: behind '
        f'{", ".join(places[:8])}. Expected a choice: checkpoint_key={places[0]} '
        f"(a tool's --checkpoint-key {places[0]}).{halves}"
    )


def _refusal(path: Path, taken: WeightSet) -> str:
    """Return what was seen in a file, and what can be done with it."""
    firsts = Counter(name.split('.')[0] for name in taken.tensors)
    prefixes = [p for p in _prefixes_of_networks(taken.tensors) if p]
    networks = f' A ResNet stands behind {some(prefixes)}.' if prefixes else ''
    beside = f' The file also holds {counted(taken.beside)}.' if taken.beside else ''
    return (
        f'{shown_path(path)} was not recognized: {named(taken.place)} holds {len(taken.tensors)} '
        f'weights, named {some(taken.tensors)}; by the first part of their names {counted(firsts)}.'
        f'{networks}{beside} Expected the weights of this backbone, whatever stands before their '
        "names. If the file has them, checkpoint_key=PLACE (a tool's --checkpoint-key PLACE) says "
        'where: the name of a set, or the beginning of the names; if it names them otherwise, '
        'rename them and save dict(state_dict=...).'
    )


def _prefixes_of_networks(tensors: Mapping[str, Tensor]) -> list[str]:
    end = 'layer1.0.conv1.weight'
    return [name[: -len(end)] for name in tensors if name.endswith(end)]
