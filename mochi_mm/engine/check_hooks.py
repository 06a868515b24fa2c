"""Whether the hooks that a model counts on are in the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from mochi_mm.engine.hooks.ema_update_hook import EMAUpdateHook
from mochi_mm.engine.hooks.keyed_random_hook import KeyedRandomHook
from mochi_mm.engine.hooks.pseudo_label_hook import PseudoLabelHook
from mochi_mm.engine.hooks.set_epoch_hook import SetEpochHook
from mochi_mm.structures.protocols import (
    FollowsByAverage,
    TakesClusters,
    TakesEpoch,
    TakesProgress,
    TakesStep,
)

#: What a part waits for, the hook, its name among the default hooks, and what would be otherwise.
_NEEDED: tuple[tuple[Any, type, str, str], ...] = (
    (FollowsByAverage, EMAUpdateHook, 'ema_update', 'its averaged encoder would never move'),
    (TakesProgress, EMAUpdateHook, 'ema_update', 'its decay would not follow the run'),
    (TakesStep, KeyedRandomHook, 'keyed_random', 'its draws would depend on what was drawn before'),
    (TakesEpoch, SetEpochHook, 'set_epoch', 'it would stay in the first epoch'),
    (TakesClusters, PseudoLabelHook, '', 'it would never have a label'),
)


def check_hooks(model: nn.Module, hooks: Sequence[Any]) -> None:
    """Refuse a run without a hook that a part of the model waits for.

    Args:
        model: The model of the run, without a data-parallel wrapper.
        hooks: All hooks of the run.

    Raises:
        ValueError: Such a hook is missing.
    """
    for protocol, kind, name, otherwise in _NEEDED:
        if any(isinstance(hook, kind) for hook in hooks):
            continue
        waits = [module for module in model.modules() if isinstance(module, protocol)]
        if waits:
            place = f'default_hooks.{name}' if name else 'one in custom_hooks'
            raise ValueError(
                f'{type(waits[0]).__name__} waits for {kind.__name__}, which the run lacks, so '
                f"{otherwise}; keep {place} (dict(type='{kind.__name__}'))."
            )
