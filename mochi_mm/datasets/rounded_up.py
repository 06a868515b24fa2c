"""Numbers for messages that still suffice when they are typed."""

from __future__ import annotations

import math


def rounded_up(value: float, digits: int = 2) -> str:
    """Return a positive number with a few digits, never below it.

    >>> rounded_up(1 / 49), rounded_up(0.25), rounded_up(1.0)
    ('0.021', '0.25', '1')
    """
    step = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return f'{math.ceil(value / step - 1e-9) * step:.{digits}g}'
