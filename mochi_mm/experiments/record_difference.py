"""Records of training steps to compare later, and the differences between two records."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Record = Mapping[str, Any]


@dataclass
class Difference:
    """Difference of a record from another.

    Attributes:
        largest: The largest relative difference of its numbers.
        bits: A line on each group of numbers with other bits, in their order.
        names: A line on each name that is gone, new or taken for another.
    """

    largest: float = 0.0
    bits: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def number(value: float) -> dict[str, str]:
    """Return a number exactly, and to be read."""
    return dict(exact=value.hex(), decimal=f'{value:.9g}')


def summary(tensors: Iterable[Tensor]) -> dict[str, Any]:
    """Return a summary that tells tensors from others, whatever their names and their order.

    Returns:
        ``digest`` of their bits, types and shapes; ``norm``; ``sum``; ``probe``, the scalar product
        with a fixed wave, which differs where the values differ but not their norm.
    """
    digests, squares, sums, probes = [], [], [], []
    for tensor in tensors:
        values = tensor.detach().cpu().contiguous().flatten()
        kind = f'{tensor.dtype}{tuple(tensor.shape)}'.encode()
        digests.append(hashlib.sha256(kind + values.numpy().tobytes()).hexdigest())
        values = values.double()
        squares.append(float(values.square().sum()))
        sums.append(float(values.sum()))
        probes.append(float(values @ torch.arange(1, len(values) + 1).double().cos()))
    return dict(
        digest=hashlib.sha256(''.join(sorted(digests)).encode()).hexdigest(),
        norm=number(math.sqrt(math.fsum(squares))),
        sum=number(math.fsum(sums)),
        probe=number(math.fsum(probes)),
    )


def differences(former: Record, now: Record) -> Difference:
    """Compare two records of training steps.

    Args:
        former: ``state_dict``, shapes by key; ``initial`` and each of ``steps``: groups of numbers
            or summaries by name.
        now: Record of the present steps, in the same form.
    """
    shapes = [
        [f'{key} {shape}' for key, shape in each['state_dict'].items()] for each in (former, now)
    ]
    result = Difference(names=_changed('state dict', *shapes))
    before, after = [former['initial'], *former['steps']], [now['initial'], *now['steps']]
    for step, (old, new) in enumerate(zip(before, after, strict=True)):
        for group in old:
            pairs, names = _matched(old[group], new[group], group == 'memory')
            result.names += [f'{group}: {line}' for line in names] if step == 1 else []
            found = {key: _difference(*pair) for key, pair in pairs.items() if pair[0] != pair[1]}
            if found:
                worst = max(found, key=lambda name: found[name])
                result.largest = max(result.largest, found[worst])
                result.bits.append(
                    f'{f"step {step}" if step else "before the first step"}, {group}: '
                    f'{len(found)} of {len(pairs)} with other bits, the largest difference is '
                    f'{found[worst]:.1e} ({worst})'
                )
    return result


def _changed(what: str, old: Collection[str], new: Collection[str]) -> list[str]:
    gone = [f'{what}: {key} is gone' for key in old if key not in new]
    return gone + [f'{what}: {key} is new' for key in new if key not in old]


def _matched(
    old: Record, new: Record, renamed: bool
) -> tuple[dict[str, tuple[Any, Any]], list[str]]:
    """Return pairs by name, and lines on names without a partner.

    With ``renamed``, names that are gone go with those that are new, in their order, where they are
    as many.
    """
    pairs = {key: (value, new[key]) for key, value in old.items() if key in new}
    gone, come = [key for key in old if key not in new], [key for key in new if key not in old]
    if renamed and gone and len(gone) == len(come):
        together = list(zip(gone, come, strict=True))
        pairs.update({f'{a} -> {b}': (old[a], new[b]) for a, b in together})
        return pairs, [f'{a} is compared with {b}' for a, b in together]
    return pairs, _changed('not compared', old, new)


def _difference(old: Record, new: Record) -> float:
    """Return the relative difference of two numbers or two summaries.

    Numbers: relative to the larger of them, or to 1 if that is more. Summaries: the norm and the
    probe, relative to the norm.
    """
    if 'exact' in old:
        a, b = (float.fromhex(each['exact']) for each in (old, new))
        return _apart(a, b, max(1.0, abs(a), abs(b)))
    fields = [[float.fromhex(each[f]['exact']) for each in (old, new)] for f in ('norm', 'probe')]
    scale = max(fields[0]) or 1.0
    return max(_apart(a, b, scale) for a, b in fields)


def _apart(a: float, b: float, scale: float) -> float:
    """Return ``|a - b| / scale``; infinite where they differ and one is not finite."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    distance = abs(a - b) / scale
    return distance if math.isfinite(distance) else math.inf
