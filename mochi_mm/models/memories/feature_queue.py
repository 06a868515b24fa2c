"""The queue of past keys (He et al. 2020, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.memories.base_memory import BaseMemory
from mochi_mm.registry import MODELS


@MODELS.register_module()
class FeatureQueue(BaseMemory):
    """A ring of the ``length`` newest keys, with the label and data set index of each.

    Before it has been filled, the remaining rows are random unit vectors.

    Args:
        length: K, number of keys kept.
        dim: D, width of a key.
        init_seed: Seed of the random rows that the queue starts from.

    Attributes:
        pointer: () int64, the row that is written next.
        count: () int64, number of rows that hold a real key.

    >>> queue = FeatureQueue(length=4, dim=2)
    >>> queue.enqueue(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), labels=torch.tensor([3, 5]))
    >>> queue.labels.tolist(), int(queue.pointer), float(queue.fill())
    ([3, 5, -1, -1], 2, 0.5)
    """

    pointer: Tensor
    count: Tensor

    def __init__(self, length: int = 65536, dim: int = 128, init_seed: int = 0) -> None:
        super().__init__(length, dim, init_seed)
        self.register_buffer('pointer', torch.zeros((), dtype=torch.int64))
        self.register_buffer('count', torch.zeros((), dtype=torch.int64))

    def bounds(self) -> dict[str, tuple[int, int | None]]:
        """Return the least and the largest value of each buffer of whole numbers."""
        return dict(super().bounds(), pointer=(0, self.length - 1), count=(0, self.length))

    def held(self) -> Tensor:
        """Return (K,) bool, rows that hold a real key."""
        return torch.arange(self.length, device=self.count.device) < self.count

    def fill(self) -> Tensor:
        """Return the share of rows that hold a real key, a float32 scalar in [0, 1]."""
        return self.count.float() / self.length

    @torch.no_grad()
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Write the keys of all ranks over the oldest rows, in rank order.

        Args:
            features: (B_r, D) unit rows of this rank; B_r may differ between ranks and exceed K
                (then the newest K keys remain). A row that is not finite is passed over and takes
                no place.
            labels: (B_r,) class of each; None writes -1.
            indices: (B_r,) data set index of each; None writes -1.

        Raises:
            ValueError: Rows of another width, or labels or indices of another number.
        """
        self.check_keys(features, labels, indices)
        counts = row_counts(len(features))
        unknown = self.labels.new_full((len(features),), -1)
        keys = gather_rows(features.float(), counts)  # (M, D), M keys of all ranks
        meta = torch.stack(
            [unknown if labels is None else labels, unknown if indices is None else indices], dim=1
        )
        meta = gather_rows(meta.to(self.labels), counts)  # (M, 2)
        kept = min(len(keys), self.length)
        # A key that is not finite would spoil every later loss. The finite ones move to the front,
        # in order; on the device throughout: reading how many there are would wait for it.
        finite = keys.isfinite().all(1)  # (M,)
        order = torch.argsort(~finite, stable=True)  # (M,) finite keys first
        taken = finite.sum()  # () number of finite keys
        # (kept,) places among the finite keys: of more than fit, the newest
        place = (taken - kept).clamp_min(0) + torch.arange(kept, device=keys.device)
        rows = (self.pointer + place) % self.length  # (kept,) rows of the ring
        keys, meta = keys[order[place]], meta[order[place]]  # (kept, D), (kept, 2)
        written = (place < taken)[:, None]  # (kept, 1); the others keep their former row
        former = torch.stack([self.labels[rows], self.indices[rows]], dim=1)  # (kept, 2)
        keys = torch.where(written, keys, self.features[rows])  # (kept, D)
        meta = torch.where(written, meta, former)  # (kept, 2)
        self.features.index_copy_(0, rows, keys)
        self.labels.index_copy_(0, rows, meta[:, 0])
        self.indices.index_copy_(0, rows, meta[:, 1])
        self.pointer.copy_((self.pointer + taken) % self.length)
        self.count.copy_((self.count + taken).clamp_max(self.length))
