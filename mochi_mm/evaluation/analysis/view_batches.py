"""The training views of some images, the same at every look."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from mochi_mm.datasets.start_worker import LOADER_TIMEOUT, start_worker
from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.randomness import SampleKey, StepKey


class KeyedImages(Dataset):
    """Some samples of a data set, drawn as in an epoch of a run with this seed.

    Args:
        dataset: A data set of this project, with the training pipeline.
        indices: Indices of the samples.
        seed: Random seed of the draws.
        epoch: Epoch of the draws; another one makes other views of the same images.
    """

    def __init__(self, dataset: Any, indices: np.ndarray, seed: int, epoch: int = 0) -> None:
        self.dataset, self.indices, self.seed, self.epoch = dataset, indices, seed, epoch

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Any:
        return self.dataset[SampleKey(int(self.indices[position]), self.seed, self.epoch)]


def view_batches(
    dataset: Any, num_queries: int, seed: int, batch_size: int, num_workers: int = 0
) -> DataLoader:
    """Return full batches of images evenly spaced over ``dataset``, with their views.

    The images come in an order of chance (the same at every look), as in training: batch norms see
    a mixture. What does not fill a batch is left out, unless it is all there is. With several
    ranks, each takes every W-th batch, all of them equally many.

    Args:
        dataset: A data set of this project, with the training pipeline.
        num_queries: Images; all of them where the data set has fewer.
        seed: Random seed of the views and of the order.
        batch_size: Images per batch.
        num_workers: Processes that make the views.

    Raises:
        ValueError: Fewer batches than ranks.
    """
    size, ranks = len(dataset), world_size()
    count = min(num_queries, size)
    indices = np.linspace(0, max(size - 1, 0), count).round().astype(int)
    generator = StepKey(seed, 0).generator('order of samples', per_rank=False)
    indices = indices[torch.randperm(count, generator=generator).numpy()]
    whole = max(count // batch_size, 1) if count else 0
    whole -= whole % ranks
    if not whole:
        raise ValueError(
            f'{count} images of the data set of the views make {count // batch_size} batches of '
            f'{batch_size}, fewer than {ranks} rank(s); raise num_queries to at least '
            f'{ranks * batch_size}, or take a larger data set.'
        )
    length = min(batch_size, count)
    batches = [list(range(start, start + length)) for start in range(0, whole * length, length)]
    return _loader(KeyedImages(dataset, indices, seed), batches[rank() :: ranks], num_workers)


def other_views(views: DataLoader, epoch: int, images: int) -> DataLoader:
    """Return a loader of the same images as ``views``, in other views.

    Args:
        views: A loader from :func:`view_batches`.
        epoch: Number of the draw; 0 gives the views of ``views``.
        images: Images of all ranks together, in whole batches; all where there are fewer.
    """
    data, batches = cast(KeyedImages, views.dataset), list(cast(Any, views.batch_sampler))
    number = -(-images // (len(batches[0]) * world_size()))
    keyed = KeyedImages(data.dataset, data.indices, data.seed, epoch)
    return _loader(keyed, batches[:number], views.num_workers)


def _loader(images: KeyedImages, batches: list[list[int]], num_workers: int) -> DataLoader:
    return DataLoader(
        images,
        batch_sampler=batches,
        num_workers=num_workers,
        timeout=LOADER_TIMEOUT if num_workers else 0,
        collate_fn=default_collate,
        worker_init_fn=start_worker if num_workers else None,
    )
