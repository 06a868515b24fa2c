"""The test for what batch statistics tell the queries."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mochi_mm.evaluation.analysis.as_in_training import as_in_training
from mochi_mm.randomness import StepKey
from mochi_mm.runs.doctor.observations import Leak
from mochi_mm.structures import Views


@torch.no_grad()
def leak_of(model: Any, batches: list[Any], seed: int) -> Leak:
    """Return accuracies with keys from the queries' batches, and from batches dealt anew.

    Image i of query batch m goes into key batch (i + m) mod M of M: a key then shares its batch
    with 1/M of its query's images, and every image is encoded in both ways.

    Args:
        model: An algorithm with a memory and an averaged encoder.
        batches: M preprocessed batches of one size.
        seed: Random seed of the batch shuffle.
    """
    queries, together = _embedded(model, [batch['inputs'] for batch in batches], seed)
    count, size = len(batches), len(batches[0]['inputs'][0])
    batch, place = torch.arange(count * size) // size, torch.arange(count * size) % size
    order = torch.argsort((place + batch) % count * count * size + torch.arange(count * size))
    views = [torch.cat(parts) for parts in zip(*(b['inputs'] for b in batches), strict=True)]
    dealt = [[view[rows.to(view.device)] for view in views] for rows in order.split(size)]
    _, keys = _embedded(model, dealt, seed)
    apart = keys[order.argsort().to(keys.device)]
    samples = {
        name: torch.cat([batch['data_samples'][name] for batch in batches])
        for name in batches[0]['data_samples']
    }
    right = [_right(model, queries, keys, samples, seed) for keys in (together, apart)]
    only_together, only_apart = right[0] & ~right[1], right[1] & ~right[0]
    return Leak(
        float(right[0].double().mean()),
        float(right[1].double().mean()),
        int(only_together.sum()),
        int(only_apart.sum()),
        len(right[0]),
    )


def _embedded(model: Any, batches: list[list[Tensor]], seed: int) -> tuple[Tensor, Tensor]:
    """Return raw embeddings of queries and keys, each batch as a training step makes them."""
    pairs = []
    for number, views in enumerate(batches):
        with as_in_training(model, StepKey(seed, number)):
            pairs.append(model.embed_pair(views))
    return torch.cat([query for query, _ in pairs]), torch.cat([key for _, key in pairs])


def _right(model: Any, queries: Tensor, keys: Tensor, samples: Any, seed: int) -> Tensor:
    """Return (Q,) bool, queries whose own key is nearer than every row of the memory."""
    found = []
    for rows in torch.arange(len(queries), device=queries.device).split(256):
        part = {name: values[rows] for name, values in samples.items()}
        with as_in_training(model, StepKey(seed, 0)):  # own older keys are masked
            step = model.head.compute(Views({0: queries[rows]}, {1: keys[rows]}, part))
        hardest = model.head.pushing(step.block('memory')).amax(1)
        found.append(step.block('own').similarity.mean(1) > hardest)
    return torch.cat(found)
