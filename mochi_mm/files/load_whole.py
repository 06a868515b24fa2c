"""Loading of whole models, and of the parts of one that a config names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mochi_mm.files.fit import Fit, fit, some
from mochi_mm.files.shown import shown
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.files.weight_sets import counted


def load_whole(
    model: nn.Module, tensors: Mapping[str, Tensor], source: str, strict: bool
) -> str | None:
    """Load all weights that a checkpoint and a model share.

    Args:
        model: The model, without a data-parallel wrapper.
        tensors: Weights of the checkpoint.
        source: Its path, for messages.
        strict: Refuse missing and unused weights.

    Returns:
        What is missing and what is not used, None where nothing is.

    Raises:
        ValueError: Not a weight in common, one of another shape or not finite, or see ``strict``.
    """
    wanted = model.state_dict()
    made = fit(wanted, tensors, source, 'the model')
    if made.shapes or not made.matched:
        made.demand(f'Expected a checkpoint of the same model. {_advice(made, wanted)}')
    missing = [*made.missing, *made.counters]
    report = (
        f'{len(missing)} weights of the model are missing in {source} ({some(missing)}), '
        f'{len(made.unused)} in it are not used ({some(made.unused)})'
    )
    differs = bool(missing or made.unused)
    if strict and differs:
        raise ValueError(
            f'{report}. Expected a checkpoint of the same model; to load what fits all the '
            'same, allow it: resume_allow=["weights"].'
        )
    check_weights(made.matched, source, wanted)
    model.load_state_dict(made.matched, strict=False)
    return report if differs else None


def load_partial(
    model: nn.Module, tensors: Mapping[str, Tensor], source: str, prefixes: Sequence[str]
) -> str:
    """Load the parts of a model that are named, each whole, and return a report.

    Args:
        model: The model, without a data-parallel wrapper.
        tensors: Weights of the checkpoint.
        source: Its path, for messages.
        prefixes: Beginnings of names, such as ``backbone`` or ``head.mlp``.

    Raises:
        ValueError: No names, or one that begins no weight of the model; a named part that the file
            does not hold whole, in the right shapes and finite. The model is then as it was.
    """
    names = partial_names(prefixes)
    state = model.state_dict()
    for prefix in names:
        if not any(name.startswith(prefix) for name in state):
            raise ValueError(
                f'load_partial names {prefix[:-1]!r}, and no weight of the model begins so; '
                f'expected beginnings such as {counted(_firsts(state))}.'
            )
    wanted = {name: value for name, value in state.items() if name.startswith(names)}
    listed = ', '.join(name[:-1] for name in names)
    made = fit(wanted, tensors, source, f'the parts of load_partial ({listed})', 'the model')
    made.demand(f'Each is taken whole or not named. {_advice(made, state, tensors)}')
    check_weights(made.matched, source, wanted)
    model.load_state_dict(made.matched, strict=False)
    new = [name for name in state if name not in made.matched]
    left = [name for name in tensors if name not in made.matched]
    return (
        f'load_partial from {source}: taken {counted(_firsts(made.matched))}; new in the model, as '
        f'initialized, {counted(_firsts(new)) or "none"}; left in the file '
        f'{counted(_firsts(left)) or "none"}'
    )


def partial_names(prefixes: Any) -> tuple[str, ...]:
    """Return the setting ``load_partial`` as beginnings of names, each with a dot at its end.

    Raises:
        ValueError: It is no list of names.
    """
    words = (
        isinstance(prefixes, Sequence)
        and not isinstance(prefixes, str)
        and all(isinstance(name, str) and name.strip('. ') for name in prefixes)
    )
    if not words or not prefixes:
        raise ValueError(
            f'load_partial is {shown(prefixes)}; expected the beginnings of names, such as '
            "load_partial=['backbone', 'neck']."
        )
    return tuple(f'{name.rstrip(".")}.' for name in prefixes)


def check_all(content: Mapping[str, Any], source: str) -> None:
    """Refuse a checkpoint whose weights, or those that hooks keep beside them, are not usable.

    Raises:
        ValueError: Names the file and the first tensor, as :func:`check_weights`.
    """
    check_weights(content['state_dict'], source)
    for part, tensors in content.items():
        if str(part).endswith('_state_dict') and isinstance(tensors, Mapping):
            check_weights(tensors, source, part=f'{part}.')


def _firsts(names: Any) -> Counter[str]:
    return Counter(name.split('.')[0] for name in names)


def _advice(made: Fit, state: Mapping[str, Any], found: Mapping[str, Any] | None = None) -> str:
    """Return how to take what fits."""
    found = made.matched if found is None else found
    fits = {n: None for n, value in state.items() if n in found and found[n].shape == value.shape}
    absent = _firsts(name for name in state if name not in fits)
    whole = [part for part in _firsts(fits) if part not in absent]
    if whole:
        return f'To take the parts that fit and no others: load_partial={whole}.'
    if fits:
        return 'No part fits whole.'
    return (
        'Weights of another project start the backbone alone: '
        "custom_hooks=[dict(type='PretrainedHook')] and pretrained=FILE in place of load_from."
    )
