"""Encoding and comparing as a training step does, without leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch

from mochi_mm.models.algorithms import MoCo
from mochi_mm.models.heads import BaseContrastiveHead
from mochi_mm.randomness import StepKey


@contextmanager
def as_in_training(model: MoCo, step_key: StepKey) -> Iterator[None]:
    """Put ``model`` in training mode for one batch; flags, buffers, settings and key are restored.

    Batch norms work on the statistics of the batch, in the groups of the batch shuffle: the keys in
    the memory were made like that, and queries under running statistics would lie elsewhere. The
    head mixes whatever its ``start_epoch`` says, and masks own older keys.

    Args:
        model: A bare algorithm with a trained and an averaged encoder.
        step_key: Keys the batch shuffle, the mixing and torch's own generator (drop-out); the
            caller restores the latter.
    """
    flags = [(module, module.training) for module in model.modules()]
    head = cast(BaseContrastiveHead, model.head)
    written = {id(buffer) for buffer in head.buffers()}  # nothing is enqueued
    kept = [(b, b.clone()) for b in model.buffers() if id(b) not in written]
    former = model.step_key
    model.train()
    model.set_step(step_key)
    torch.manual_seed(step_key.number('layers', per_rank=True))
    try:
        with looking(head, step_key):
            yield
    finally:
        model.set_step(former)
        for buffer, value in kept:
            buffer.copy_(value)
        for module, flag in flags:
            module.training = flag


@contextmanager
def looking(head: BaseContrastiveHead, step_key: StepKey) -> Iterator[None]:
    """Let a head mix and mask own keys for as long as it is looked at."""
    mask, mixing = head.mask_own_keys, head.mixing
    head.mask_own_keys = head.memory is not None
    if mixing is not None:
        epoch, key = mixing.epoch, mixing.step_key
        mixing.epoch, mixing.step_key = max(epoch, mixing.start_epoch), step_key
    try:
        yield
    finally:
        head.mask_own_keys = mask
        if mixing is not None:
            mixing.epoch, mixing.step_key = epoch, key
