"""What every head refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor


def check_number(name: str, value: float, example: float, zero: bool = False) -> float:
    """Return ``value`` if it is a finite number above 0.

    Args:
        name: Of the setting, for the error.
        value: The setting.
        example: A usual value, for the error.
        zero: Whether 0 will do as well.

    Raises:
        ValueError: Below, not finite, a bool, or no number.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        least = 'of 0 or more' if zero else 'above 0'
        raise ValueError(
            f'{name} is {value!r}; expected a number {least} and finite, such as {example}.'
        )
    return value


def check_integer(name: str, value: Any, example: int, least: int = 1) -> int:
    """Return ``value`` if it is an integer of at least ``least``.

    Args:
        name: Of the setting, for the error.
        value: The setting.
        example: A usual value, for the error.
        least: The smallest that will do.

    Raises:
        ValueError: Below, a bool, or no integer.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f'{name} is {value!r}; expected an integer >= {least}, such as {example}.')
    return value


def check_images(count: int) -> None:
    """Accept a batch of all ranks with at least two images.

    Raises:
        ValueError: Fewer.
    """
    if count < 2:
        raise ValueError(
            f'the batch of all ranks holds {count} image(s); expected at least 2, there is nothing '
            'to push from or to compare with. Set a larger batch_size.'
        )


def check_temperature(value: float, name: str = 'temperature') -> float:
    """Return ``value`` if it can divide a cosine.

    Raises:
        ValueError: Zero, below, not finite, or no number.
    """
    return check_number(name, value, 0.2)


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
        fix = _SOURCES.get(
            name, f'a data set that gives {name} and PackInputs(extra_keys=[{name!r}])'
        )
        raise ValueError(
            f'{reason} needs {name} for every sample, got '
            f'{"none" if values is None else "unknown ones (-1)"}; use {fix}, or an objective '
            'that does without.'
        )
    return values


# Standard keys of PackInputs, which hands them on without being asked.
_SOURCES = dict(
    gt_label='images in class folders, or another data set with classes',
    sample_idx='a data set that numbers its samples, as those of mochi_mm do',
)


def check_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Raises:
        ValueError: It is not.
    """
    if value not in choices:
        raise ValueError(f'{name} is {value!r}; expected one of {", ".join(choices)}.')
    return value
