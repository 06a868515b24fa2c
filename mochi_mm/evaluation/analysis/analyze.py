"""Analyzing a network: all measures of one checkpoint, in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mochi_mm.datasets.loader_timeout import frozen_workers_named
from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.evaluation.analysis.as_in_training import as_in_training
from mochi_mm.evaluation.analysis.many_views import many_views
from mochi_mm.evaluation.analysis.memory_sums import Sums, add, memory_sums, scalars_of
from mochi_mm.evaluation.analysis.possible import (
    default_num_hard,
    missing_layers,
    missing_measures,
)
from mochi_mm.evaluation.analysis.settings import MEMORY_MEASURES, AnalysisSettings
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.measures import (
    class_alignment,
    effective_rank,
    lidar,
    pair_alignment,
    singular_values,
    spectrum_decay,
    uniformity,
)
from mochi_mm.models.evaluating import evaluating
from mochi_mm.randomness import StepKey
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.structures import Views
from mochi_mm.utils.progress import progress_bar
from mochi_mm.utils.unwrap import unwrap

_CURVES = ('probabilities', 'probabilities_synthetic')
_OF_MEASURE = {
    'accuracy': ('acc_', 'sim_', 'share_'),
    'probabilities': ('probability',),
    'false_negatives': ('false_negatives',),
}


@dataclass
class Analysis:
    """The measures of one network.

    Attributes:
        scalars: Numbers by name; shares in [0, 1].
        missing: Why a measure or a layer is not there, by its name.
        arrays: ``probabilities`` (N,) and ``probabilities_synthetic`` (N,), means over the queries,
            largest first; ``singular_values_<layer>`` (C,).
        counts: Samples and queries that were looked at, rows of the memory, N.
        settings: The constants.
        features: (M, C) pooled backbone features of the samples, where they were needed.
        labels: (M,) their classes.
    """

    settings: dict[str, Any]
    scalars: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    features: Tensor | None = None
    labels: Tensor | None = None

    def record(self, **where: Any) -> dict[str, Any]:
        """Return all but arrays and features as plain data; ``where`` (epoch, ...) goes first."""
        return dict(
            **where,
            settings=self.settings,
            counts=self.counts,
            scalars=self.scalars,
            missing=self.missing,
        )


def analyze(
    model: nn.Module,
    loader: DataLoader,
    views: DataLoader,
    settings: AnalysisSettings,
    absent: Mapping[str, str] | None = None,
    progress: bool = True,
) -> Analysis:
    """Return every measure of ``model`` that it and the data allow.

    Alignment of classes, uniformity and rank are those of the samples of ``loader``, the alignment
    of views that of ``views`` (:func:`view_batches`), all in evaluation mode. What the memory says
    is measured on ``views`` as in a training step. Weights, statistics, memory, flags and random
    generators are as before on return.

    Args:
        model: An algorithm, bare or in a data-parallel wrapper.
        loader: Batches of one view, each sample once.
        views: Batches of training views.
        settings: Measures to take, with their constants.
        absent: Measures or layers that the checkpoint rules out, with the reason.
        progress: Show bars with the time left, if stderr is a terminal.

    Raises:
        ValueError: A measure or layer asked for by name that is not possible; ``num_hard`` above
            the length of the memory.
        FrozenWorkerError: No batch came within the limit of a loader.
    """
    bare = unwrap(model)
    result = Analysis(settings=settings.record())
    layers = missing_layers(bare, settings, absent or {}, result.missing)
    with frozen_workers_named(), torch.no_grad(), preserved_random_state(), evaluating(bare):
        needed = [
            m for m in ('class_alignment', 'uniformity', 'rank', 'decay') if settings.wanted(m)
        ]
        if needed:
            features, labels = extract_features(bare, loader, progress)
            result.counts['samples'] = len(features)
            result.features, result.labels = features, labels
        else:
            features, labels = torch.zeros(0, 0), torch.zeros(0, dtype=torch.int64)
        missing_measures(bare, settings, absent or {}, labels, views.dataset, result.missing)
        if needed:
            _measure_features(bare, features, labels, layers, settings, result)
        _measure_views(bare, views, layers, settings, result, progress)
        _measure_more(bare, views, layers, settings, result, progress)
    return result


def _measure_features(
    model: Any,
    features: Tensor,
    labels: Tensor,
    layers: list[str],
    settings: AnalysisSettings,
    result: Analysis,
) -> None:
    """Add the measures of the samples' features, on the device of the model."""
    device = next(model.parameters()).device
    for layer in layers:
        rows = features.to(device)
        if layer == 'neck':
            rows = torch.cat([model.neck(block).float() for block in rows.split(1024)])
        if settings.wanted('class_alignment') and 'class_alignment' not in result.missing:
            result.scalars[f'alignment/class/{layer}'] = class_alignment(
                rows, labels, settings.alpha
            )
        if settings.wanted('uniformity'):
            result.scalars[f'uniformity/{layer}'] = uniformity(rows, settings.t)
        if settings.wanted('rank'):
            values = singular_values(rows)
            name = f'rank/{layer}'
            result.scalars[name] = _or_nan(name, result, effective_rank, values)
            result.arrays[f'singular_values_{layer}'] = values.cpu().numpy()
        if settings.wanted('decay'):
            alpha = _or_nan(f'decay/{layer}', result, spectrum_decay, rows)
            result.scalars[f'decay/{layer}'] = alpha
            result.scalars[f'decay_from_1/{layer}'] = abs(alpha - 1)


def _measure_more(
    model: Any,
    views: DataLoader,
    layers: list[str],
    settings: AnalysisSettings,
    result: Analysis,
    progress: bool,
) -> None:
    """Add the measures that are taken where they are asked for: a sum of others, and LiDAR."""
    for layer in layers if settings.wanted('alignment_uniformity') else ():
        parts = [result.scalars[f'{name}/{layer}'] for name in ('alignment/views', 'uniformity')]
        result.scalars[f'alignment_uniformity/{layer}'] = sum(parts)
    if settings.wanted('lidar'):
        number = settings.lidar_views
        found = many_views(model, views, settings.lidar_images, number, layers, progress)
        for layer, rows in found.items():
            name = f'lidar/{layer}'
            result.scalars[name] = _or_nan(name, result, lidar, rows, settings.lidar_delta)
            result.counts['lidar_images'] = len(rows)


def _or_nan(name: str, result: Analysis, measure: Callable[..., float], *given: Any) -> float:
    """Return a measure, NaN and the reason where a network has collapsed too far for it."""
    try:
        return measure(*given)
    except ValueError as error:
        result.missing[name] = str(error).rstrip('.')
        return math.nan


def _measure_views(
    model: Any,
    views: DataLoader,
    layers: list[str],
    settings: AnalysisSettings,
    result: Analysis,
    progress: bool,
) -> None:
    """Add the measures of pairs of views: alignment, and what the memory says."""
    taken = [m for m in ('view_alignment', *MEMORY_MEASURES) if settings.wanted(m)]
    taken = [m for m in taken if m not in result.missing]
    if not taken:
        return
    use_memory = any(m in MEMORY_MEASURES for m in taken)
    num_hard = default_num_hard(model.head, settings) if use_memory else 0
    sums: Sums = {}
    for number, batch in enumerate(progress_bar(views, 'views', len(views), progress)):
        data = model.data_preprocessor(batch, False)
        if 'view_alignment' in taken:
            sums = add(sums, _alignment_sums(model, data['inputs'], layers, settings.alpha))
        if use_memory:
            step = StepKey(settings.seed, number, rank())
            with as_in_training(model, step):
                query, key = model.embed_pair(data['inputs'])
                pair = Views({0: query}, {1: key}, data['data_samples'])
                sums = add(sums, memory_sums(model.head, pair, num_hard))
    sums = _over_ranks(sums)
    for layer in layers if 'view_alignment' in taken else ():
        total = sums.pop(f'alignment/{layer}')
        result.scalars[f'alignment/views/{layer}'] = total / sums['pairs']
    if use_memory:
        _keep(sums, taken, result)
        result.counts.update(
            queries=int(sums['queries']), memory=model.head.memory.length, num_hard=num_hard
        )


def _alignment_sums(model: Any, inputs: Any, layers: list[str], alpha: float) -> Sums:
    """Return the sum over the batch of the distances between the first two views, by layer."""
    sums: Sums = dict(pairs=float(len(inputs[0])))
    pooled = [model.extract_feat(view) for view in inputs[:2]]
    for layer in layers:
        rows = pooled if layer == 'backbone' else [model.neck(view) for view in pooled]
        sums[f'alignment/{layer}'] = len(rows[0]) * pair_alignment(rows[0], rows[1], alpha)
    return sums


def _keep(sums: Sums, taken: list[str], result: Analysis) -> None:
    """Put what the memory measures asked for into the result."""
    prefixes = tuple(p for m in taken if m in _OF_MEASURE for p in _OF_MEASURE[m])
    for name, value in scalars_of(sums).items():
        if name.startswith(prefixes):
            result.scalars[name] = value
    for name in _CURVES:
        if name in sums and 'probabilities' in taken:
            result.arrays[name] = sums[name] / sums['queries']


def _over_ranks(sums: Sums) -> Sums:
    """Return the sums of all ranks, on every rank."""
    if world_size() == 1:
        return sums
    parts: list[Any] = [None] * world_size()
    dist.all_gather_object(parts, sums)
    total: Sums = {}
    for part in parts:
        total = add(total, part)
    return total
