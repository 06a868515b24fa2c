"""Checks of the arguments that several transforms share. All raise ``ValueError``."""

from __future__ import annotations

import math
from typing import Any

from torchvision.transforms import InterpolationMode


def probability(value: Any, name: str = 'prob') -> float:
    """Return ``value`` as a float in [0, 1]."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f'{name} must be a probability between 0 and 1, got {value!r}')
    return float(value)


def interval(value: Any, name: str, low: float, high: float = math.inf) -> tuple[float, float]:
    """Return ``value`` as (smaller, larger), both within [low, high] and finite."""
    pair = tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(pair) != 2 or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in pair):
        raise ValueError(f'{name} must be two numbers (smallest, largest), got {value!r}')
    if not low <= pair[0] <= pair[1] <= high:
        raise ValueError(
            f'{name} must satisfy {low:g} <= smallest <= largest <= {high:g}, got {value!r}'
        )
    return float(pair[0]), float(pair[1])


def gray_level(value: Any, name: str) -> int:
    """Return ``value`` as an int from 0 to 255."""
    if type(value) is not int or not 0 <= value <= 255:
        raise ValueError(f'{name} must be a gray level from 0 to 255, got {value!r}')
    return value


def pixels(value: Any, name: str = 'size') -> int | tuple[int, int]:
    """Return ``value`` as one positive int, or as (height, width)."""
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(pair) not in (1, 2) or not all(type(v) is int and v > 0 for v in pair):
        raise ValueError(f'{name} must be a positive int or (height, width), got {value!r}')
    return pair[0] if len(pair) == 1 else (pair[0], pair[1])


def height_width(value: Any, name: str = 'size') -> tuple[int, int]:
    """Return ``value`` as (height, width); one int means a square."""
    size = pixels(value, name)
    return (size, size) if isinstance(size, int) else size


def interpolation_mode(name: Any) -> InterpolationMode:
    """Return torchvision's interpolation mode called ``name``."""
    names = [mode.value for mode in InterpolationMode if mode.value != 'nearest-exact']
    if name not in names:
        raise ValueError(f'interpolation must be one of {", ".join(names)}, got {name!r}')
    return InterpolationMode(name)
