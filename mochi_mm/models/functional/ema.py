"""Exponential moving average of parameters (He et al. 2020, eq. 2)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


def check_ema_decay(ema_decay: float) -> None:
    """Check that ``ema_decay`` can be the weight of the old value, as this project always means it.

    Raises:
        ValueError: Outside [0.5, 1): below 0.5 it is most likely the weight of the new value.
    """
    if not 0.5 <= ema_decay < 1:
        fix = (
            f' If {ema_decay} is meant as the weight of the new value, write '
            f'ema_decay={1 - ema_decay:g}.'
            if 0 < ema_decay < 0.5
            else ''
        )
        raise ValueError(
            f'ema_decay is {ema_decay}; expected the weight of the old value, in [0.5, 1), such as '
            f'0.999.{fix}'
        )


@torch.no_grad()
def ema_update(targets: Iterable[Tensor], sources: Iterable[Tensor], ema_decay: float) -> None:
    """Set ``target = ema_decay * target + (1 - ema_decay) * source`` in place, pair by pair.

    Args:
        targets: Averaged tensors.
        sources: Current tensors, in the same order.
        ema_decay: Weight of the old value.
    """
    get_ema_multi_avg_fn(ema_decay)(list(targets), list(sources), None)
