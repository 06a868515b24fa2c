"""Hooks without which parts of a model would stand still."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmengine.hooks import Hook
from torch import nn

from mochi_mm.engine.hooks.ema_update_hook import EMAUpdateHook
from mochi_mm.engine.hooks.keyed_random_hook import KeyedRandomHook
from mochi_mm.engine.hooks.set_epoch_hook import SetEpochHook
from mochi_mm.structures.protocols import FollowsByAverage, TakesEpoch, TakesProgress, TakesStep

# What a module may need, the hook that gives it, its usual name, and what is lost without it.
_NEEDS: tuple[tuple[Any, type[Hook], str, str], ...] = (
    (FollowsByAverage, EMAUpdateHook, 'ema_update', 'its averaged encoder would never move'),
    (TakesProgress, EMAUpdateHook, 'ema_update', 'its decay would not follow the run'),
    (TakesEpoch, SetEpochHook, 'set_epoch', 'it would take every epoch for the first'),
    (TakesStep, KeyedRandomHook, 'keyed_random', 'its draws would not be keyed by the step'),
)


def check_needed_hooks(model: nn.Module, hooks: Iterable[Hook]) -> None:
    """Raise where a part of a model waits for a hook that the run does not have.

    Args:
        model: The model, without a data-parallel wrapper.
        hooks: Hooks of the run; one of your own counts where it derives from the project's.

    Raises:
        ValueError: Names the part, the hook, and what would be lost.
    """
    there = tuple(hooks)
    for need, kind, name, lost in _NEEDS:
        if any(isinstance(hook, kind) for hook in there):
            continue
        for where, module in model.named_modules():
            if isinstance(module, need):
                raise ValueError(
                    f'{where or "the model"} is a {type(module).__name__} and the run has no '
                    f'{kind.__name__}, so {lost}, without a word. Expected '
                    f"default_hooks.{name}=dict(type='{kind.__name__}'), as in "
                    'configs/_base_/default_runtime.py.'
                )
