"""The features of a whole data set, each sample once and in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.dist import get_comm_device
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mochi_mm.datasets.loader_timeout import frozen_workers_named
from mochi_mm.distributed.rows import gather_rows, row_counts, world_size
from mochi_mm.utils.progress import progress_bar
from mochi_mm.utils.unwrap import unwrap


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put ``model`` in evaluation mode; restore the flag of every module on exit."""
    flags = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, flag in flags:
            module.training = flag


def gather_samples(
    indices: Tensor, *columns: Tensor, size: int, chunk: int = 8192
) -> tuple[Tensor, ...]:
    """Return the rows of all ranks, one for each sample, in the order of the data set.

    Samples that a distributed sampler repeated to fill up the ranks are dropped.

    Args:
        indices: (n,) int64, the data set index of each row of this rank.
        columns: (n, ...) CPU tensors.
        size: Number of samples in the data set.
        chunk: Rows exchanged at a time, which bounds the memory on the accelerator.

    Returns:
        The columns, ``size`` rows each, the same on every rank.

    Raises:
        ValueError: The indices of all ranks together are not ``size`` different ones.
    """
    tensors = (indices, *columns)
    if world_size() > 1:
        device = get_comm_device()
        counts = row_counts(len(indices), device)
        gathered: list[list[Tensor]] = [[] for _ in tensors]
        for start in range(0, max(counts), chunk):
            parts = [min(max(count - start, 0), chunk) for count in counts]
            for tensor, blocks in zip(tensors, gathered, strict=True):
                blocks.append(gather_rows(tensor[start : start + chunk].to(device), parts).cpu())
        tensors = tuple(
            torch.cat(blocks) if blocks else tensor
            for tensor, blocks in zip(tensors, gathered, strict=True)
        )
    unique, position = np.unique(tensors[0].numpy(), return_index=True)
    if len(unique) != size:
        raise ValueError(
            f'the data loader gave {len(unique)} different sample_idx, but its data set has {size} '
            'samples; use drop_last=False, a sampler that visits every sample, and a data set '
            'whose samples each have a sample_idx of their own.'
        )
    if np.array_equal(position, np.arange(len(tensors[0]))):  # spares a copy of everything
        return tensors[1:]
    order = torch.from_numpy(position)
    return tuple(tensor[order] for tensor in tensors[1:])


@torch.no_grad()
def extract_features(
    model: nn.Module, dataloader: DataLoader, progress: bool = True, require_labels: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the pooled backbone features of every sample, from the network in evaluation mode.

    With several ranks, each rank runs its part and all of them get everything. The training flags
    of all modules are as before on return.

    Args:
        model: An algorithm, bare or in a data-parallel wrapper.
        dataloader: Batches of one view. It must visit every sample; it may repeat some.
        progress: Show a bar with the time left, if stderr is a terminal.
        require_labels: Refuse samples without a label.

    Returns:
        features (M, C) float32 and labels (M,) int64, on the CPU, in the order of the data set.

    Raises:
        ValueError: More than one view; a sample without a label, if labels are required; samples
            missing or with a shared ``sample_idx``.
        FrozenWorkerError: No batch came within the limit of the loader.
    """
    bare = unwrap(model)
    collected: list[tuple[Tensor, Tensor, Tensor]] = []
    with frozen_workers_named(), evaluating(bare):
        for batch in progress_bar(dataloader, 'features', len(dataloader), progress):
            data = bare.data_preprocessor(batch, False)
            labels = data['data_samples']['gt_label'].cpu()
            if require_labels and bool((labels < 0).any()):
                raise ValueError(
                    'a sample without a label (gt_label -1) where labels are needed; use a data '
                    'set with labels, for an image folder one sub-folder for each class.'
                )
            features = bare.extract_feat(data['inputs']).float().cpu()
            collected.append((data['data_samples']['sample_idx'].cpu(), features, labels))
    if not collected:
        raise ValueError(
            'the data loader gave no batch; its data set (or the share of this rank) is empty.'
        )
    indices, features, labels = (torch.cat(column) for column in zip(*collected, strict=True))
    features, labels = gather_samples(indices, features, labels, size=len(dataloader.dataset))  # type: ignore[arg-type]
    return features, labels
