"""Argument checks shared by all components."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mochi_mm.argument_kinds import is_integer, is_number


def check_number(
    name: str, value: float, example: float, zero: bool = False, most: float = math.inf
) -> float:
    """Return ``value`` if it is a finite number above 0.

    Args:
        name: Name of the setting, for the error.
        value: The setting.
        example: A usual value, for the error.
        zero: Accept 0 as well.
        most: The largest that is accepted.

    Raises:
        ValueError: Below, above ``most``, not finite, a bool, or no number.
    """
    if not is_number(value) or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        least = 'of 0 or more' if zero else 'above 0'
        raise ValueError(
            f'{name} is {value!r}; expected a number {least} and finite, such as {example}.'
        )
    if value > most:
        raise ValueError(f'{name} is {value!r}; expected at most {most:g}, such as {example}.')
    return value


def check_integer(name: str, value: Any, example: int, least: int = 1) -> int:
    """Return ``value`` if it is an integer of at least ``least``.

    Args:
        name: Name of the setting, for the error.
        value: The setting.
        example: A usual value, for the error.
        least: The smallest that will do.

    Raises:
        ValueError: Below, a bool, or no integer.
    """
    if not is_integer(value) or value < least:
        raise ValueError(f'{name} is {value!r}; expected an integer >= {least}, such as {example}.')
    return value


def check_open_share(name: str, value: float, example: float = 0.5) -> float:
    """Return ``value`` if it is a share of something that leaves some of the rest.

    Args:
        name: Name of the setting, for the error.
        value: The setting.
        example: A usual value, for the error.

    Raises:
        ValueError: Not inside (0, 1), a bool, or no number.
    """
    if not is_number(value) or not 0 < value < 1:
        raise ValueError(f'{name} is {value!r}; expected a share inside (0, 1), such as {example}.')
    return value


def check_temperature(value: float, name: str = 'temperature') -> float:
    """Return ``value`` if it can divide a cosine.

    Raises:
        ValueError: Zero, below, not finite, or no number.
    """
    return check_number(name, value, 0.2)


def check_list(name: str, value: Any) -> None:
    """Accept a list of parts, or what else is a sequence of them.

    Raises:
        ValueError: One part by itself, as a config or a module.
    """
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        shown = value if isinstance(value, (str, Mapping)) else type(value).__name__
        raise ValueError(
            f'{name} is {shown!r}; expected a list of parts, for one of them [part]: set '
            f'{name}=[...].'
        )


def check_start(who: str, start_epoch: int, max_epochs: int, nothing: str, fix: str) -> None:
    """Accept an epoch that the run reaches.

    Args:
        who: Part that starts then, for the error; empty where the setting says it.
        start_epoch: First epoch of the part.
        max_epochs: Epochs of the run.
        nothing: What would never happen otherwise.
        fix: What to do then.

    Raises:
        ValueError: The run ends before.
    """
    if start_epoch >= max_epochs:
        of = f' of {who}' if who else ''
        raise ValueError(
            f'start_epoch{of} is {start_epoch} but the run ends after {max_epochs} epochs, so '
            f'{nothing}; {fix}.'
        )


def check_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Raises:
        ValueError: It is not.
    """
    if value not in choices:
        raise ValueError(f'{name} is {value!r}; expected one of {", ".join(choices)}.')
    return value


def check_cosine(name: str, value: Any) -> float:
    """Return ``value`` if it is a bound that a cosine can exceed, in [-1, 1).

    Raises:
        ValueError: It is not.
    """
    if not is_number(value) or not -1 <= value < 1:
        raise ValueError(f'{name} is {value!r}; expected a cosine in [-1, 1), or None.')
    return float(value)


def check_share(name: str, value: Any, example: float, zero: bool = False) -> float:
    """Return ``value`` if it is a share above 0 and at most 1.

    Args:
        name: Name of the setting, for the error.
        value: The setting.
        example: A usual value, for the error.
        zero: Accept 0 as well.

    Raises:
        ValueError: Outside, not finite, a bool, or no number.
    """
    check_number(name, value, example, zero)
    if value > 1:
        raise ValueError(f'{name} is {value!r}; expected a share, at most 1, such as {example}.')
    return value
