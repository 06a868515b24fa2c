"""Measuring a checkpoint on a few batches of its training images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mochi_mm.evaluation.analysis.possible import no_memory
from mochi_mm.evaluation.analysis.view_batches import view_batches
from mochi_mm.evaluation.measures import effective_rank, singular_values
from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.necks.split_neck import SplitNeck
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.runs.doctor.leak_of import leak_of
from mochi_mm.runs.doctor.mined_duplicates import mined_duplicates
from mochi_mm.runs.doctor.observations import Leak, Observations

# Mean difference of two views, in standard deviations of a channel: half a gray level.
_SAME = 0.01
_PER_BATCH = 512


@torch.no_grad()
def observe(
    model: Any,
    dataset: Any,
    source: str,
    batch_size: int,
    num_batches: int = 4,
    seed: int = 0,
    num_workers: int = 0,
    absent: Mapping[str, str] | None = None,
) -> Observations:
    """Return what a network does with batches of its training images; it is left as it was.

    Args:
        model: The algorithm with the weights of a checkpoint, memory included.
        dataset: Its training images, with the training pipeline.
        source: Name of the checkpoint.
        batch_size: Images of a training batch; at most 512 are taken.
        num_batches: Batches of evenly spaced images, at least 2.
        seed: Random seed of views and shuffles.
        num_workers: Processes that make the views.
        absent: What the checkpoint does not hold, from ``load_for_analysis``: reasons by name.

    Raises:
        ValueError: Fewer than 2 batches, or a data set of fewer images.
    """
    if num_batches < 2:
        raise ValueError(f'{num_batches} batches; expected at least 2, to deal keys among them.')
    size = min(batch_size, _PER_BATCH, max(1, len(dataset) // 2))
    number = size * min(num_batches, len(dataset) // size)
    loader = view_batches(dataset, number, seed, size, num_workers)
    with preserved_random_state():
        batches = [model.data_preprocessor(batch, False) for batch in loader]
        missing: dict[str, str] = {}
        identical = _identical(batches, missing)
        ranks = _ranks(model, batches, absent or {})
        leak = _leak(model, batches, seed, absent or {}, missing)
        mined = mined_duplicates(model, dataset, batches, seed, absent or {}, missing)
    images = sum(len(batch['inputs'][0]) for batch in batches)
    return Observations(source, images, len(dataset), identical, ranks, leak, mined, missing)


def _identical(batches: list[Any], missing: dict[str, str]) -> float | None:
    """Return the share of pairs of views of one size that are the same picture."""
    same = compared = 0
    for batch in batches:
        views = batch['inputs']
        for i in range(len(views)):
            for j in range(i + 1, len(views)):
                if views[i].shape == views[j].shape:
                    apart = (views[i].float() - views[j].float()).abs().flatten(1).mean(1)
                    same += int((apart < _SAME).sum())
                    compared += len(apart)
    if not compared:
        missing['identical'] = 'the training pipeline makes no two views of one size'
        return None
    return same / compared


def _ranks(
    model: Any, batches: list[Any], absent: Mapping[str, str]
) -> dict[str, tuple[float, int, int]]:
    """Return effective rank, width and rows of the first views' features, in evaluation mode."""
    with evaluating(model):
        pooled = torch.cat([model.extract_feat(batch['inputs'][0]).float() for batch in batches])
        layers = dict(backbone=pooled)
        if (
            model.neck is not None
            and not isinstance(model.neck, SplitNeck)
            and ('neck' not in absent)
        ):
            layers['neck'] = torch.cat([model.neck(rows).float() for rows in pooled.split(1024)])
    return {name: (_rank(rows), rows.shape[1], len(rows)) for name, rows in layers.items()}


def _rank(rows: Tensor) -> float:
    """Return the effective rank, 0 of features that are all zero."""
    values = singular_values(rows)
    return effective_rank(values) if bool(values.sum() > 0) else 0.0


def _leak(
    model: Any,
    batches: list[Any],
    seed: int,
    absent: Mapping[str, str],
    missing: dict[str, str],
) -> Leak | None:
    """Return the test of the batch norms; note in ``missing`` why it is not possible."""
    why = absent.get('accuracy') or no_memory(model)
    if not why and model.head.memory.fill() < 0.5:
        why = f'the memory is {float(model.head.memory.fill()):.0%} full; expected half of it'
    if not why and len({len(batch['inputs'][0]) for batch in batches}) > 1:
        why = 'the batches differ in size'
    if not why and len(batches) < 2:
        why = 'the data set fills one batch only'
    if why:
        if getattr(model.head, 'memory', None) is None:
            why += ': candidates of the batch share its statistics, so none of them stands out'
        missing['leak'] = why
        return None
    return leak_of(model, batches, seed)
