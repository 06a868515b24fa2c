"""Encoding as a training step does, without leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mochi_mm.randomness import StepKey


@contextmanager
def as_in_training(model: Any, step_key: StepKey) -> Iterator[None]:
    """Put ``model`` in training mode for one batch; flags, buffers and step key are restored.

    Batch norms work on the statistics of the batch, in the groups of the batch shuffle: the keys in
    the memory were made like that, and queries under running statistics would lie elsewhere.

    Args:
        model: A bare algorithm with a query and a key encoder.
        step_key: Keys the batch shuffle and torch's own generator (drop-out); the caller restores
            the latter.
    """
    flags = [(module, module.training) for module in model.modules()]
    head = {id(buffer) for buffer in model.head.buffers()}  # nothing is enqueued
    kept = [(b, b.clone()) for b in model.buffers() if id(b) not in head]
    former = model.step_key
    model.train()
    model.set_step(step_key)
    torch.manual_seed(step_key.number('layers', per_rank=True))
    try:
        yield
    finally:
        model.step_key = former
        for buffer, value in kept:
            buffer.copy_(value)
        for module, flag in flags:
            module.training = flag
