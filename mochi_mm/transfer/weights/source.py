"""A file of weights, read and recognised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.weights_record import record_of
from mochi_mm.transfer.weights.origin import NOT_NORMALISED, ORIGINS, Input, Origin

# Where the tensors stand in a file, tried in turn; () is the file itself.
_PLACES = (
    ('classy_state_dict', 'base_model', 'model', 'trunk'),
    ('state_dict',),
    ('model_state_dict',),
    ('model',),
    (),
)
_WRAPPERS = re.compile(r'^module\.|(?<![^.])_orig_mod\.')  # data-parallel, torch.compile
# torchvision's network as a list of its children, as lightly's examples build it.
_NUMBERED = {'0.': 'conv1.', '1.': 'bn1.', **{f'{n}.': f'layer{n - 3}.' for n in range(4, 8)}}


@dataclass(frozen=True)
class Source:
    """What a file offers.

    Attributes:
        path: The file.
        origin: Who wrote it.
        tensors: Weights of the backbone under torchvision's names.
        others: How many further tensors the file has, by the first part of their names.
        record: What the file says about itself (``meta['mochi_mm']``); None if it does not.
    """

    path: Path
    origin: Origin
    tensors: dict[str, Tensor]
    others: dict[str, int]
    record: dict[str, Any] | None

    @property
    def input(self) -> Input:
        """What the weights were trained on: as recorded, else as their origin's code has it."""
        if self.record is None:
            return self.origin.input
        mean, std = self.record.get('mean'), self.record.get('std')
        return Input(
            NOT_NORMALISED.mean if mean is None else tuple(mean),
            NOT_NORMALISED.std if std is None else tuple(std),
            self.record.get('channel_order'),
        )


def read_source(path: str | Path) -> Source:
    """Read ``path`` and find out who wrote it.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is no checkpoint, or its names are those of no known origin.
    """
    path = local_path(path)
    content = read_checkpoint(path)
    tensors = _tensors(content, path)
    origin = next((o for o in ORIGINS if o.fits(tensors)), None)
    if origin is None:
        raise ValueError(
            f'{path} was not recognised: its weights are named {", ".join(list(tensors)[:3])}. '
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


def _tensors(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file without the prefixes of wrappers."""
    for place in _PLACES:
        node: Any = content
        for key in place:
            node = node.get(key) if isinstance(node, Mapping) else None
        if isinstance(node, Mapping):
            found = {str(k): v for k, v in node.items() if isinstance(v, Tensor)}
            if found:
                return {_WRAPPERS.sub('', name): value for name, value in found.items()}
    raise ValueError(
        f'{path} is no checkpoint: it holds {", ".join(map(str, list(content)[:5])) or "nothing"}, '
        'and no tensors; expected weights by name, bare or under state_dict.'
    )


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
