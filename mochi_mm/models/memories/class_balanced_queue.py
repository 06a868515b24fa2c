"""A queue that holds as many keys of a rare class as of a common one (ResCom)."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.memories.base_memory import BaseMemory
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataFacts
from mochi_mm.utils.checks import check_integer


@MODELS.register_module()
class ClassBalancedQueue(BaseMemory):
    """A ring of the ``per_class`` newest keys for each class, each with its own pointer.

    The rows ``c * per_class`` to ``(c + 1) * per_class - 1`` belong to class c. Rows that hold no
    key yet are random unit vectors without a label. Source: the released code of Zhong et al.,
    Rebalanced Siamese Contrastive Mining for Long-Tailed Recognition (ResCom), 2022.

    Args:
        num_classes: C, number of classes.
        per_class: Number of keys kept of each class.
        dim: D, width of a key.
        init_seed: Seed of the random rows that the queue starts from.

    Attributes:
        pointer: (C,) int64, the row of each class's ring that is written next.
        count: (C,) int64, number of rows of each class that hold a real key.

    Raises:
        ValueError: A size below 1.

    >>> queue = ClassBalancedQueue(num_classes=2, per_class=2, dim=2)
    >>> keys = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> queue.enqueue(keys, labels=torch.tensor([1, 1, 1]))  # the third takes the first one's row
    >>> queue.features[2:].tolist(), queue.labels.tolist(), queue.pointer.tolist()
    ([[-1.0, 0.0], [0.0, 1.0]], [-1, -1, 1, 1], [0, 1])
    """

    pointer: Tensor
    count: Tensor

    def __init__(
        self, num_classes: int, per_class: int = 10, dim: int = 128, init_seed: int = 0
    ) -> None:
        check_integer('ClassBalancedQueue num_classes', num_classes, 100)
        check_integer('ClassBalancedQueue per_class', per_class, 10)
        super().__init__(num_classes * per_class, dim, init_seed)
        self.num_classes, self.per_class = num_classes, per_class
        self.register_buffer('pointer', torch.zeros(num_classes, dtype=torch.int64))
        self.register_buffer('count', torch.zeros(num_classes, dtype=torch.int64))

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'num_classes={self.num_classes}, per_class={self.per_class}, dim={self.dim}'

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a data set with other classes; called before the first iteration.

        Raises:
            ValueError: Another number of classes, or a class without an image.
        """
        facts.images_of(self.num_classes, 'the class-balanced queue')

    def bounds(self) -> dict[str, tuple[int, int | None]]:
        """Return the least and the largest value of each buffer of whole numbers."""
        return dict(super().bounds(), pointer=(0, self.per_class - 1), count=(0, self.per_class))

    def held(self) -> Tensor:
        """Return (K,) bool, rows that hold a real key."""
        slot = torch.arange(self.per_class, device=self.count.device)
        return (slot < self.count[:, None]).flatten()  # (C, per_class), class by class

    @torch.no_grad()
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Write the keys of all ranks over the oldest rows of their classes, in rank order.

        Args:
            features: (B_r, D) unit rows of this rank; B_r may differ between ranks. Of more keys of
                a class than its ring has rows, the newest remain. A row that is not finite is
                passed over and takes no place.
            labels: (B_r,) class of each; one that is no class of the queue is passed over.
            indices: (B_r,) data set index of each; None writes -1.

        Raises:
            ValueError: No labels, rows of another width, or labels or indices of another number.
        """
        self.check_keys(features, labels, indices)
        if labels is None:
            raise ValueError(
                'ClassBalancedQueue.enqueue needs the class of every key, got none; expected '
                f'labels (batch,) from 0 to {self.num_classes - 1}.'
            )
        counts = row_counts(len(features))
        indices = labels.new_full(labels.shape, -1) if indices is None else indices
        keys = gather_rows(features.float(), counts)  # (M, D), M keys of all ranks
        meta = gather_rows(torch.stack([labels, indices], dim=1).to(self.labels), counts)  # (M, 2)
        if not len(keys):
            return
        taken = keys.isfinite().all(1) & (meta[:, 0] >= 0) & (meta[:, 0] < self.num_classes)
        # Class by class, the keys of a class in their order; those that are passed over come last.
        classes = torch.where(taken, meta[:, 0], self.num_classes)  # (M,)
        order = torch.argsort(classes, stable=True)  # (M,)
        new = classes.new_zeros(self.num_classes + 1).index_add_(0, classes, taken.long())[:-1]
        source, written = self._sources(new)  # (K,) each
        source = order[source.clamp_max(len(keys) - 1)]
        former = torch.stack([self.labels, self.indices], dim=1)  # (K, 2)
        meta = torch.where(written[:, None], meta[source], former)
        self.features.copy_(torch.where(written[:, None], keys[source], self.features))
        self.labels.copy_(meta[:, 0])
        self.indices.copy_(meta[:, 1])
        self.pointer.copy_((self.pointer + new) % self.per_class)
        self.count.copy_((self.count + new).clamp_max(self.per_class))

    def _sources(self, new: Tensor) -> tuple[Tensor, Tensor]:
        """Return which key each row takes, and whether it takes one.

        Key p of a class falls on the row ``(pointer + p) % per_class``; of several that fall on the
        same one the last remains. Each row looks for its key, so none is written twice.

        Args:
            new: (C,) number of new keys of each class.

        Returns:
            (K,) int64 places among the keys sorted by class, any where nothing is written; (K,)
            bool.
        """
        size = self.per_class
        slot = torch.arange(size, device=new.device)
        first = (slot - self.pointer[:, None]) % size  # (C, size) the first key that falls there
        last = first + (new[:, None] - 1 - first).div(size, rounding_mode='floor') * size
        start = new.cumsum(0) - new  # (C,) keys of the classes before
        place = start[:, None] + last.clamp_min(0)  # (C, size)
        return place.flatten(), (first < new[:, None]).flatten()
