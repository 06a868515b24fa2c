"""The weights that are validated and saved, where these are not the ones that are trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.hooks import EMAHook


@contextmanager
def validated_weights(runner: Any) -> Iterator[None]:
    """Put into the model, for a while, what a validation would see and a checkpoint would hold.

    With MMEngine's EMAHook that is the average; without one, nothing changes.

    Args:
        runner: The runner, training.
    """
    begun = [
        h
        for h in getattr(runner, 'hooks', ())
        if isinstance(h, EMAHook) and int(h.ema_model.steps) > 0
    ]
    for hook in begun:
        hook.before_val_epoch(runner)
    try:
        yield
    finally:
        for hook in reversed(begun):
            hook.after_val_epoch(runner)
