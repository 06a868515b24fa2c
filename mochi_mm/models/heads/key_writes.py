"""What a step writes into a memory of keys."""

from __future__ import annotations

from functools import partial

import torch

from mochi_mm.models.memories import BaseMemory
from mochi_mm.structures import Views
from mochi_mm.structures.head_step import Write


def key_writes(memory: BaseMemory | None, views: Views, label_key: str) -> tuple[Write, ...]:
    """Return the write of every key once, with label and index; nothing without a memory.

    Args:
        memory: The memory.
        views: Unit rows; the keys are those of the averaged encoder.
        label_key: Name of the labels among the samples.
    """
    if memory is None:
        return ()
    keys, samples = views.target, views.samples
    # Image by image, so that several ranks leave what one process leaves.
    rows = torch.stack(list(keys.values()), dim=1).flatten(0, 1)  # (B V, D)
    labels, indices = (
        samples[name].repeat_interleave(len(keys)) if name in samples else None
        for name in (label_key, 'sample_idx')
    )
    return (partial(memory.enqueue, rows, labels, indices),)
