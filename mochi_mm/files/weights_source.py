"""A file of weights that has been read, and whose writer is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.files.checkpoint import local_path, read_checkpoint, state_dict_of
from mochi_mm.files.fit import some
from mochi_mm.files.origin import NOT_NORMALIZED, ORIGINS, Input, Origin
from mochi_mm.files.weights_record import record_of

# torchvision's network as a list of its children, as lightly's examples build it.
_NUMBERED = {'0.': 'conv1.', '1.': 'bn1.', **{f'{n}.': f'layer{n - 3}.' for n in range(4, 8)}}


@dataclass(frozen=True)
class Source:
    """Weights of a file, with their origin and record.

    Attributes:
        path: The file.
        origin: Writer of the file.
        tensors: Weights of the backbone under torchvision's names.
        others: Number of further tensors in the file, by the first part of their names.
        record: Record of the file about itself (``meta['mochi_mm']``); None without one.
    """

    path: Path
    origin: Origin
    tensors: dict[str, Tensor]
    others: dict[str, int]
    record: dict[str, Any] | None

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


def read_source(path: str | Path) -> Source:
    """Return the weights of the file ``path``, with their origin and record.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is no checkpoint, or its names are those of no known origin.
    """
    path = local_path(path)
    return recognize(read_checkpoint(path), path)


def recognize(content: Mapping[str, Any], path: Path, wanted: Iterable[str] = ()) -> Source:
    """Return the weights of a file that has been read, with their origin and record.

    Args:
        content: Content of the file.
        path: The file.
        wanted: Names that a backbone wants. A file of no known origin that has one of them holds
            that backbone.

    Raises:
        ValueError: The file is no checkpoint, or its names are those of no known origin.
    """
    tensors = state_dict_of(content)
    if not tensors:
        held = some(content, 5) or 'nothing'
        raise ValueError(
            f'{path} is no checkpoint: it holds {held}, and no tensors; expected weights by name, '
            'bare or under state_dict.'
        )
    origin = next((o for o in ORIGINS if o.fits(tensors)), None)
    if origin is None and any(name in tensors for name in wanted):
        origin = Origin('bare weights under the names of the backbone', '')
    if origin is None:
        raise ValueError(
            f'{path} was not recognized: its weights are named {some(tensors)}. '
            f'Expected names that start with one of {_prefixes()} (behind module. or not), or bare '
            'ones as torchvision has them (conv1.weight, layer1.0.conv1.weight); rename them and '
            'save dict(state_dict=...).'
        )
    length = len(origin.prefix)
    inside = {name[length:]: t for name, t in tensors.items() if name.startswith(origin.prefix)}
    outside = Counter(n.split('.')[0] for n in tensors if not n.startswith(origin.prefix))
    record = record_of(content, path)
    if record is not None:
        origin = replace(origin, name=f'mochi_mm, {record["algorithm"] or "algorithm unknown"}')
    return Source(path, origin, _torchvision_names(inside), dict(outside), record)


def _torchvision_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    if '0.weight' not in tensors or '4.0.conv1.weight' not in tensors:
        return tensors
    renamed = {}
    for name, value in tensors.items():
        number, _, rest = name.partition('.')
        renamed[_NUMBERED.get(number + '.', number + '.') + rest] = value
    return renamed


def _prefixes() -> str:
    return ', '.join(sorted({o.prefix for o in ORIGINS if o.prefix}))
