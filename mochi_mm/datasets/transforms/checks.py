"""Checks of the arguments that several transforms share. All raise ``ValueError``."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image
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


def factors(value: Any, name: str) -> tuple[float, float]:
    """Return factors (smallest, largest), those of [max(0, 1 - v), 1 + v] for a number v."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f'{name} must not be negative, got {value!r}')
        value = (max(0.0, 1 - value), 1 + value)
    return interval(value, name, 0)


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


def check_rgb(channels: int, name: str) -> None:
    """Refuse a transform of colors for images of other than three channels."""
    if channels != 3:
        raise ValueError(
            f'{name} changes colors, and the images have {channels} '
            f'channel{"s" * (channels != 1)}, expected 3 (red, green, blue); take it out of the '
            "pipeline. dict(type='ChannelJitter', brightness=..., contrast=...) changes each "
            'channel by itself, however many there are.'
        )


def check_photograph(image: Any, name: str) -> None:
    """Refuse a transform that only 8-bit RGB images have for another image."""
    if not isinstance(image, Image.Image):
        raise ValueError(
            f'{name} knows 8-bit RGB images alone, got a {type(image).__name__} of '
            f'{getattr(image, "channels", "other")} channels; take it out of the pipeline, or '
            'choose transforms that take any channels, such as RandomResizedCrop, ChannelJitter, '
            'GaussianBlur, RandomFlip, RandomSolarize, RandomErasing.'
        )
