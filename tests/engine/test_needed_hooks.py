"""A part of a model that waits for a hook is not trained without it."""

from __future__ import annotations

import pytest
from torch import nn

from mochi_mm.engine.hooks import EMAUpdateHook, KeyedRandomHook, SetEpochHook
from mochi_mm.engine.needed_hooks import check_needed_hooks
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import moco_config

HOOKS = dict(ema_update=EMAUpdateHook, set_epoch=SetEpochHook, keyed_random=KeyedRandomHook)


class Own(EMAUpdateHook):
    """A hook of a user's own."""


@pytest.fixture(scope='module')
def model() -> nn.Module:
    return MODELS.build(moco_config())


@pytest.mark.parametrize('name', HOOKS)
def test_each_is_needed(model: nn.Module, name: str) -> None:
    there = [kind() for kind in HOOKS.values()]
    check_needed_hooks(model, there)
    without = [hook for hook in there if type(hook) is not HOOKS[name]]
    kind = HOOKS[name].__name__
    with pytest.raises(ValueError, match=rf"no {kind}, so .*default_hooks\.{name}=dict\(type='"):
        check_needed_hooks(model, without)
    check_needed_hooks(nn.Linear(2, 2), without)


def test_one_of_your_own(model: nn.Module) -> None:
    assert check_needed_hooks(model, [Own(), SetEpochHook(), KeyedRandomHook()]) is None
