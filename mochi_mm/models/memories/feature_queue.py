"""The queue of past keys (He et al. 2020, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.memories.checks import check_keys, check_sizes
from mochi_mm.registry import MODELS


@MODELS.register_module()
class FeatureQueue(nn.Module):
    """A ring of the ``length`` newest keys, with the label and data set index of each.

    All state is in persistent buffers, so a checkpoint restores it whole. Before it has been
    filled, the remaining rows are random unit vectors, the same on every rank and in every run.

    Args:
        length: K, number of keys kept.
        dim: D, width of a key.
        init_seed: Seed of the random rows that the queue starts from.

    Attributes:
        features: (K, D) float32 unit rows.
        labels: (K,) int64 class of each key, -1 if unknown.
        indices: (K,) int64 data set index of each key, -1 if unknown.
        pointer: () int64, the row that is written next.
        count: () int64, number of rows that hold a real key.
    """

    features: Tensor
    labels: Tensor
    indices: Tensor
    pointer: Tensor
    count: Tensor

    def __init__(self, length: int = 65536, dim: int = 128, init_seed: int = 0) -> None:
        super().__init__()
        check_sizes(self, length, dim)
        self.length, self.dim = length, dim
        generator = torch.Generator().manual_seed(init_seed)
        rows = torch.randn(length, dim, generator=generator)
        self.register_buffer('features', F.normalize(rows, dim=1))
        self.register_buffer('labels', torch.full((length,), -1, dtype=torch.int64))
        self.register_buffer('indices', torch.full((length,), -1, dtype=torch.int64))
        self.register_buffer('pointer', torch.zeros((), dtype=torch.int64))
        self.register_buffer('count', torch.zeros((), dtype=torch.int64))

    def extra_repr(self) -> str:
        """Return what is printed of the queue."""
        return f'length={self.length}, dim={self.dim}'

    def snapshot(self) -> Tensor:
        """Return a copy of the rows, (K, D), that a later :meth:`enqueue` leaves alone."""
        return self.features.clone()

    def held(self) -> Tensor:
        """Return a (K,) mask of the rows that hold a real key."""
        return torch.arange(self.length, device=self.count.device) < self.count

    def fill(self) -> Tensor:
        """Return the share of rows that hold a real key, a float32 scalar in [0, 1]."""
        return self.count.float() / self.length

    def own_keys(self, indices: Tensor) -> Tensor:
        """Return a (B, K) mask of the rows that came from the same image as each query.

        Args:
            indices: (B,) data set index of each query; -1 matches nothing.
        """
        return (indices[:, None] == self.indices[None]) & (indices[:, None] >= 0)

    def same_class(self, labels: Tensor) -> Tensor:
        """Return a (B, K) mask of the rows with each query's class.

        Args:
            labels: (B,) class of each query; -1 matches nothing.
        """
        return (labels[:, None] == self.labels[None]) & (labels[:, None] >= 0)

    @torch.no_grad()
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Write the keys of all ranks over the oldest rows, in rank order.

        Args:
            features: (B_r, D) unit rows of this rank; B_r may differ between ranks and exceed K
                (then the newest K keys remain). A row that is not finite is passed
                over and takes no place.
            labels: (B_r,) class of each; None writes -1.
            indices: (B_r,) data set index of each; None writes -1.

        Raises:
            ValueError: Rows of another width, or labels or indices of another number.
        """
        check_keys(self.dim, features, labels, indices)
        counts = row_counts(len(features), features.device)
        unknown = self.labels.new_full((len(features),), -1)
        keys = gather_rows(features.float(), counts)
        meta = torch.stack(
            [unknown if labels is None else labels, unknown if indices is None else indices], dim=1
        )
        meta = gather_rows(meta.to(self.labels), counts)
        kept = min(len(keys), self.length)
        # A key that is not finite would spoil every later loss. The finite ones move to the front,
        # in order; on the device throughout: reading how many there are would stall it.
        finite = keys.isfinite().all(1)
        order = torch.argsort(~finite, stable=True)
        taken = finite.sum()
        place = (taken - kept).clamp_min(0) + torch.arange(kept, device=keys.device)
        rows = (self.pointer + place) % self.length
        keys, meta = keys[order[place]], meta[order[place]]
        written = (place < taken)[:, None]
        former = torch.stack([self.labels[rows], self.indices[rows]], dim=1)
        keys = torch.where(written, keys, self.features[rows])
        meta = torch.where(written, meta, former)
        self.features.index_copy_(0, rows, keys)
        self.labels.index_copy_(0, rows, meta[:, 0])
        self.indices.index_copy_(0, rows, meta[:, 1])
        self.pointer.copy_((self.pointer + taken) % self.length)
        self.count.copy_((self.count + taken).clamp_max(self.length))
