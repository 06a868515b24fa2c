"""One query with everything that pushes it hardest, as points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mochi_mm.distributed.rows import rank
from mochi_mm.evaluation.analysis.as_in_training import as_in_training
from mochi_mm.evaluation.measures import same_known_class
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.randomness import StepKey
from mochi_mm.structures import HardNegatives, Views


@dataclass(frozen=True)
class NegativeMap:
    """A query, its key, its hard negatives and the synthetic ones.

    Attributes:
        points: (M, D) unit rows; row 0 is the query, row 1 its key.
        kinds: (M,) ``query``, ``key``, ``hard``, or the type of the mixer.
        parents: (M, 2) rows that a point was mixed from, -1 for none. The query is row 0.
        same_class: (M,) bool, hard negatives of the query's class.
    """

    points: np.ndarray
    kinds: np.ndarray
    parents: np.ndarray
    same_class: np.ndarray


@torch.no_grad()
def negative_maps(
    model: Any, views: DataLoader, seed: int, count: int = 2, most: int = 128
) -> list[NegativeMap]:
    """Return the maps of the first ``count`` queries of ``views``, encoded as in training.

    Args:
        model: A bare algorithm with a memory head and a query and a key encoder.
        views: Batches of training views.
        seed: Random seed of the mixers' draws.
        count: Queries.
        most: Synthetic negatives shown of each mixer. Of the hard negatives, the hardest ``most``
            are shown, and those that were mixed into a synthetic one.

    Raises:
        ValueError: The data loader gave no batch.
    """
    batch = next(iter(views), None)
    if batch is None:
        raise ValueError('the data loader of the views gave no batch; its data set is empty.')
    data = model.data_preprocessor(batch, False)
    step = StepKey(seed, 0, rank())
    head, samples = model.head, data['data_samples']
    with as_in_training(model, step):
        query, key = model.embed_pair(data['inputs'])
        looked = head.compute(Views({0: query}, {1: key}, samples))
    query, key = unit_rows(query), unit_rows(key)
    hard = looked.mixed.hard
    labels = looked.block('memory').need('labels')
    same, _ = same_known_class(samples['gt_label'].to(labels), labels[hard.index])
    mixed = []
    for (_, mixer), mixture in zip(head.mixing.named_mixers(), looked.mixed.mixtures, strict=True):
        mixed.append((mixture.name, mixture.plan, mixer.features(query, hard, mixture.plan)))
    return [_map(row, query, key, hard, same, mixed, most) for row in range(min(count, len(query)))]


def _map(
    row: int, query: Tensor, key: Tensor, hard: HardNegatives, same: Tensor, mixed: Any, most: int
) -> NegativeMap:
    """Return the map of one query of the batch."""
    usable_here = hard.index.shape[1] if hard.count is None else int(hard.count[row])
    shown = set(range(min(most, usable_here)))
    for _, plan, _ in mixed:
        for positions in (plan.first, plan.second):
            if positions is not None and usable_here:
                shown |= set(positions[row, :most].tolist())
    order = sorted(shown)
    place = {position: 2 + i for i, position in enumerate(order)}  # after the query and its key
    points = [query[row : row + 1], key[row : row + 1], hard.bank[hard.index[row, order]]]
    kinds = ['query', 'key', *['hard'] * len(order)]
    parents = [(-1, -1)] * len(kinds)
    for name, plan, features in mixed if usable_here else ():
        points.append(features[row, :most])
        kinds += [name] * len(points[-1])
        first = plan.first[row, :most].tolist()
        if plan.second is None:
            parents += [(place[i], 0) for i in first]
        else:
            second = plan.second[row, :most].tolist()
            parents += [(place[i], place[j]) for i, j in zip(first, second, strict=True)]
    false = np.zeros(len(kinds), dtype=bool)
    false[2 : 2 + len(order)] = same[row, order].cpu().numpy()
    return NegativeMap(
        torch.cat(points).cpu().double().numpy(), np.array(kinds), np.array(parents), false
    )
