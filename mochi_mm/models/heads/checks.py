"""What every head refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor


def check_temperature(value: float, name: str = 'temperature') -> float:
    """Return ``value`` if it can divide a cosine.

    Raises:
        ValueError: Zero, below, or no number.
    """
    if not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f'{name} is {value!r}; expected a number above 0, such as 0.2.')
    return value


def known(data_samples: Mapping[str, Tensor], name: str, reason: str) -> Tensor:
    """Return ``data_samples[name]``, (B,) and all of it known.

    Args:
        data_samples: Tensors (B,) by name.
        name: Such as ``gt_label``.
        reason: Who needs it, for the error.

    Raises:
        ValueError: It is missing, or -1 (unknown) for some sample.
    """
    values = data_samples.get(name)
    if values is None or bool((values < 0).any()):
        raise ValueError(
            f'{reason} needs {name} for every sample, got '
            f'{"none" if values is None else "unknown ones (-1)"}; use a data set that gives '
            f'{name}, with PackInputs(extra_keys=[{name!r}]) if that is no standard key, or an '
            'objective that does without.'
        )
    return values


def check_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Raises:
        ValueError: It is not.
    """
    if value not in choices:
        raise ValueError(f'{name} is {value!r}; expected one of {", ".join(choices)}.')
    return value
