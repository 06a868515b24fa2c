"""Schedules of the EMA decay, the weight of the old value, over a run."""

from __future__ import annotations

import math

EMA_SCHEDULES = ('constant', 'cosine')


def scheduled_ema_decay(ema_decay: float, schedule: str, progress: float) -> float:
    """Return the weight of the old value at one step.

    ``cosine`` goes from ``ema_decay`` to 1: ``1 - (1 - ema_decay) (1 + cos(pi progress)) / 2``
    (Grill et al. 2020, BYOL).

    Args:
        ema_decay: Weight at the start.
        schedule: ``constant`` or ``cosine``.
        progress: Share of the run that is done, in [0, 1].
    """
    if schedule == 'constant':
        return ema_decay
    return 1 - (1 - ema_decay) * (1 + math.cos(math.pi * progress)) / 2
