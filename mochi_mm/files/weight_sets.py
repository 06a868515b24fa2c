"""The sets of weights that a file holds, and the one that is taken."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.files.fit import some
from mochi_mm.files.shown import shown, shown_path

#: Places of a file, the first that holds a network is taken; '' is the file itself.
PREFERRED = (
    'classy_state_dict.base_model.model.trunk',
    'state_dict',
    'model_state_dict',
    'model',
    'teacher',
    'target_encoder',
    'online_network_state_dict',
    'network',
    'net',
    'encoder',
    'backbone',
    '',
)
_USUAL = ('', 'state_dict', 'model_state_dict', 'model', PREFERRED[0])
#: What data-parallel wrappers, ``torch.compile`` and others put into the names.
_WRAPPERS = re.compile(
    r'^(?:module\.)+|(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.'
)
_NO_NETWORKS = re.compile(r'optim|^(?:meta|message_hub)$')
_DEEPEST, _LONGEST = 8, 80


@dataclass(frozen=True)
class WeightSet:
    """Weights taken from a file.

    Attributes:
        place: Where they stand, as ``checkpoint_key`` names it; '' for the file itself.
        tensors: The weights by name, without what wrappers put into the names.
        beside: Number of tensors of each other set of the file, by its place.
    """

    place: str
    tensors: dict[str, Tensor]
    beside: dict[str, int]

    def told(self) -> str:
        """Return where the weights are from and what lies beside them, as part of a sentence.

        Empty where the file holds nothing else and they stand where most files have them.
        """
        if not self.beside:
            return '' if self.place in _USUAL else f'taken from {named(self.place)}'
        others = counted(self.beside)
        return f'taken from {named(self.place)}; the file also holds {others}: {_CHOICE}'


_CHOICE = "checkpoint_key=NAME (a tool's --checkpoint-key NAME) takes another"


def weights_of(content: Mapping[str, Any], source: str | Path, key: str | None = None) -> WeightSet:
    """Return one set of weights of a checkpoint.

    Args:
        content: Content of the file.
        source: The file, for the error.
        key: Place of the set, such as ``teacher`` or ``model.ema``; behind it, or alone, may stand
            the beginning of names, such as ``encoder_k``. None takes the first of
            :data:`PREFERRED`, or the only one.

    Raises:
        ValueError: The file holds no tensors, several sets of which none is known, or no such set;
            or two names of it are the same without what wrappers add.
    """
    where = shown_path(source)
    sets = _sets(content, where)
    if not sets:
        raise ValueError(
            f'{where} is no checkpoint: it holds {some(content, 5) or "nothing"}, and no tensors; '
            'expected weights by name, bare or under state_dict.'
        )
    if key is not None:
        return _chosen(sets, key, where)
    networks = {place: found for place, found in sets.items() if _is_network(found)} or sets
    place = next((name for name in PREFERRED if name in networks), None)
    if place is None and len(networks) > 1:
        raise ValueError(
            f'{where} holds several sets of weights: {counted(_sizes(networks))}. Expected one '
            'that is known by its place, or the choice of one: checkpoint_key=NAME '
            "(a tool's --checkpoint-key NAME)."
        )
    place = next(iter(networks)) if place is None else place
    return _taken(place, sets[place], networks, where)


def named(place: str) -> str:
    """Return the name of a place, for people."""
    text = shown_path(place[:_LONGEST])
    return f'{text}{"..." * (len(place) > _LONGEST)}' if place else 'the top of the file'


def counted(counts: Mapping[str, int], most: int = 8) -> str:
    """Return names with their numbers of tensors, the largest first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    more = f', and {len(ordered) - most} more' if len(ordered) > most else ''
    return ', '.join(f'{named(name)} ({n})' for name, n in ordered[:most]) + more


def _sets(content: Mapping[str, Any], where: str) -> dict[str, dict[str, Tensor]]:
    """Return each mapping that holds tensors by name, by its place; of circles one turn.

    Items of lists are numbered: ``models.0``.
    """
    found: dict[str, dict[str, Tensor]] = {}
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), content)])
    seen: set[int] = set()
    while waiting:
        place, node = waiting.popleft()
        if id(node) in seen or len(place) > _DEEPEST:
            continue
        seen.add(id(node))
        items = list(node.items()) if isinstance(node, Mapping) else list(enumerate(node))
        named_tensors = [(str(k), v) for k, v in items if isinstance(v, Tensor)]
        name = '.'.join(place)
        if named_tensors and isinstance(node, Mapping):
            tensors = dict(named_tensors)
            if name in found or len(tensors) < len(named_tensors):
                raise ValueError(
                    f'{where} has two things of one name in {named(name)}; expected a name for '
                    'each.'
                )
            found[name] = tensors
        waiting += [
            ((*place, str(key)), child)
            for key, child in items
            if isinstance(child, (Mapping, list, tuple)) and _leads_on(key, node)
        ]
    return found


def _leads_on(key: Any, node: Any) -> bool:
    """Return whether networks may lie below ``key``: states of optimizers and notes hold none."""
    if not isinstance(node, Mapping):
        return True
    return isinstance(key, str) and not _NO_NETWORKS.search(key)


def _is_network(tensors: Mapping[str, Tensor]) -> bool:
    return any(name.split('.')[-1] == 'weight' for name in tensors)


def _sizes(sets: Mapping[str, Mapping[str, Tensor]]) -> dict[str, int]:
    return {place: len(tensors) for place, tensors in sets.items()}


def _taken(
    place: str,
    tensors: Mapping[str, Tensor],
    networks: Mapping[str, Mapping[str, Tensor]],
    where: str,
    chosen: str | None = None,
) -> WeightSet:
    bare = {_WRAPPERS.sub('', name): value for name, value in tensors.items()}
    if len(bare) < len(tensors):
        raise ValueError(
            f'{where}: {len(tensors)} weights have {len(bare)} names once module. and _orig_mod. '
            'are taken out; expected those of one model.'
        )
    beside = {name: n for name, n in _sizes(networks).items() if name != place}
    return WeightSet(place if chosen is None else chosen, bare, beside)


def _chosen(sets: Mapping[str, dict[str, Tensor]], key: str, where: str) -> WeightSet:
    """Return the set that ``key`` names, or the weights of one whose names begin with it."""
    networks = {place: found for place, found in sets.items() if _is_network(found)}
    if key in sets:
        return _taken(key, sets[key], networks, where)
    order = [name for name in PREFERRED if name in sets]
    for place in sorted(sets, key=lambda p: (order.index(p) if p in order else 99, -len(p))):
        inner = key.removeprefix(f'{place}.') if place and key.startswith(f'{place}.') else key
        whole = _taken(place, sets[place], networks, where)
        prefix = _WRAPPERS.sub('', f'{inner.rstrip(".")}.')
        found = {n[len(prefix) :]: t for n, t in whole.tensors.items() if n.startswith(prefix)}
        if found:
            return _taken(place, found, networks, where, chosen=key)
    firsts = Counter(name.split('.')[0] for tensors in sets.values() for name in tensors)
    raise ValueError(
        f'checkpoint_key is {shown(key)}, and {where} holds nothing of that name; expected one of '
        f'its sets, {counted(_sizes(networks or sets))}, or the beginning of names in one: '
        f'{counted(firsts)}.'
    )
