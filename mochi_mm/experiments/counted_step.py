"""One training step of a config among several ranks, its messages counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mochi_mm.distributed.messages import Message
from mochi_mm.experiments.counted_messages import CountedMessages
from mochi_mm.experiments.message_model import StepSizes
from mochi_mm.experiments.reduce_bucket import reduce_bucket
from mochi_mm.launch.config import load_config
from mochi_mm.launch.fresh_model import fresh_model
from mochi_mm.models.algorithms import BaseAlgorithm
from mochi_mm.randomness import StepKey
from mochi_mm.structures import DataFacts

#: Images that a made-up data set has.
IMAGES = 1000


def counted_step(
    path: str | Path, batch: int, pixels: int = 32, shuffle: bool = False
) -> tuple[StepSizes, list[Message]]:
    """Return the sizes of a step and the messages that this rank hands over in it.

    The second step is counted: data-parallel training orders its buckets after the first. Images
    and labels are random; hooks, which agree on a flag or two, take no part.

    Args:
        path: A config of pre-training; all ranks of the open group call with the same.
        batch: B, images of each rank.
        pixels: Side of a view.
        shuffle: Exchange images among the ranks before keys are encoded, whatever the config says.
    """
    config = load_config(path, {'model.batch_shuffle': 'shuffle'} if shuffle else None)
    model = fresh_model(config.model, seed=0).train()
    _tell_data(model)
    unused = bool(config.get('find_unused_parameters', False))
    wrapped = DistributedDataParallel(model, broadcast_buffers=False, find_unused_parameters=unused)
    wrapped.register_comm_hook(None, reduce_bucket)
    for step in range(2):
        key = StepKey(0, step)
        parts: list[Any] = list(model.modules())
        for module in parts:
            if hasattr(module, 'set_epoch'):
                module.set_epoch(10**6 - 1, 10**6)  # what begins later has begun
            if hasattr(module, 'set_step'):
                module.set_step(key)
        given = model.data_preprocessor(_batch(model, batch, pixels, step), True)
        with CountedMessages() as counted:
            losses = wrapped(**given, mode='loss')
            total, _ = model.parse_losses(losses)
            total.backward()
        model.zero_grad()
    return sizes_of(model, batch, pixels), counted.messages


def sizes_of(model: BaseAlgorithm, batch: int, pixels: int) -> StepSizes:
    """Return what the messages of a model's step are made of.

    Args:
        model: An algorithm with one head.
        batch: B, images of each rank.
        pixels: Side of a view.

    Raises:
        ValueError: A model without a neck.
    """
    if model.neck is None:
        raise ValueError(
            f'{type(model).__name__} has no neck; expected a config of pre-training, whose '
            'embeddings ranks exchange.'
        )
    trained = [p for p in model.parameters() if p.requires_grad]
    return StepSizes(
        batch=batch,
        dim=model.neck.out_channels,
        pooled=model.neck.in_channels,
        image=3 * pixels * pixels,
        parameters=sum(p.numel() for p in trained),
    )


def _tell_data(model: nn.Module) -> None:
    """Tell the parts that ask how many images each class has: as many of each."""
    parts: list[Any] = list(model.modules())
    for module in parts:
        classes = getattr(module, 'num_classes', None)
        if hasattr(module, 'set_data') and classes:
            counts = torch.full((classes,), IMAGES // classes)
            labeled = torch.ones(int(counts.sum()), dtype=torch.bool)
            module.set_data(DataFacts(len(labeled), (), counts, labeled))


def _batch(model: BaseAlgorithm, batch: int, pixels: int, step: int) -> Mapping[str, Any]:
    generator = torch.Generator().manual_seed(step)
    shape = (batch, 3, pixels, pixels)
    views = [
        torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        for _ in range(model.num_views or 2)
    ]
    index = torch.randperm(IMAGES, generator=generator)[:batch]
    return dict(inputs=views, data_samples=dict(gt_label=index % 10, sample_idx=index))
