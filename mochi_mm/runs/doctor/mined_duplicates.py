"""Near-duplicates among the hardest negatives of some queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mochi_mm.evaluation.analysis.as_in_training import as_in_training
from mochi_mm.evaluation.analysis.possible import no_memory
from mochi_mm.evaluation.duplicates import Limits, are_near_duplicates, read_pictures
from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.necks.split_neck import SplitNeck
from mochi_mm.randomness import StepKey
from mochi_mm.runs.doctor.observations import MinedDuplicates
from mochi_mm.structures import Views

_HARDEST = 10
_QUERIES = 256


@torch.no_grad()
def mined_duplicates(
    model: Any,
    dataset: Any,
    batches: list[Any],
    seed: int,
    absent: Mapping[str, str],
    missing: dict[str, str],
) -> MinedDuplicates | None:
    """Count near-duplicates among the ten hardest negatives of up to 256 queries.

    Of a memory they are those of a training step; of a batch the other images that lie nearest in
    it, in evaluation mode. The images themselves are compared, as they are in the data set.

    Args:
        model: The algorithm.
        dataset: Its training images, with ``image(index)``.
        batches: Preprocessed batches.
        seed: Random seed of the batch shuffle.
        absent: What the checkpoint does not hold.
        missing: Where the reason is noted, if it is not possible.
    """
    if not hasattr(dataset, 'image'):
        missing['mined'] = f'{type(dataset).__name__} hands out no single images'
        return None
    with_memory = getattr(model.head, 'memory', None) is not None
    why = (absent.get('accuracy') or no_memory(model)) if with_memory else _no_batch(model)
    if why:
        missing['mined'] = why
        return None
    found, left = [], _QUERIES
    for number, batch in enumerate(batches):
        hardest = (
            _of_memory(model, batch, StepKey(seed, number))
            if with_memory
            else (_of_batch(model, batch))
        )
        own = batch['data_samples']['sample_idx'].to(hardest)  # (B,)
        known = (hardest >= 0) & (hardest != own[:, None])
        query = own[:, None].expand_as(hardest)
        found.append(torch.stack([query[:left][known[:left]], hardest[:left][known[:left]]], 1))
        left = max(0, left - len(own))
    pairs = torch.cat(found).cpu().numpy()
    if not len(pairs):
        missing['mined'] = 'the images of the negatives are not known (sample_idx is -1)'
        return None
    images, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(pairs.shape)
    near = are_near_duplicates(read_pictures(dataset, images.tolist()), places, Limits())
    return MinedDuplicates(
        len(np.unique(places[:, 0])),
        len(np.unique(places[near, 0])),
        len(places),
        int(near.sum()),
        _HARDEST,
    )


def _no_batch(model: Any) -> str:
    """Return why there are no negatives of a batch to look at, or nothing."""
    if model.head is None:
        return f'{type(model).__name__} has no head, and so no negatives'
    if model.neck is None or isinstance(model.neck, SplitNeck) or hasattr(model, 'key_encoder'):
        return f'negatives of {type(model).__name__} are not looked at'
    return ''


def _of_memory(model: Any, batch: Any, step_key: StepKey) -> Tensor:
    """Return (B, N) data set indices of the hardest rows of the memory, -1 where there is none."""
    with as_in_training(model, step_key):
        query, key = model.embed_pair(batch['inputs'])
        step = model.head.compute(Views({0: query}, {1: key}, batch['data_samples']))
    pushing = model.head.pushing(step.block('memory'))  # (B, K)
    index, values = select_hardest(pushing, min(_HARDEST, pushing.shape[1]))
    return model.head.memory.indices[index].masked_fill(values.isinf(), -1)


def _of_batch(model: Any, batch: Any) -> Tensor:
    """Return (B, N) data set indices of the nearest other images of the batch."""
    views = batch['inputs']
    with evaluating(model):
        first, second = (
            unit_rows(model.embed(model.in_layout([view])[0]).neck)
            for view in (views[0], views[-1])
        )
    cosine = (first @ second.T).fill_diagonal_(-torch.inf)
    index, values = select_hardest(cosine, min(_HARDEST, len(cosine)))
    indices = batch['data_samples']['sample_idx'].to(index)
    return indices[index].masked_fill(values.isinf(), -1)
