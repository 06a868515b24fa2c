"""One unit row for each class: learned by gradient, or a moving average of its members."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mochi_mm.argument_kinds import is_number
from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.functional.unit_mixture import unit_mixture
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.memories.base_memory import BaseMemory
from mochi_mm.registry import MODELS


@MODELS.register_module()
class Prototypes(BaseMemory):
    """One unit row per class; row c stands for class c.

    A moving average follows its members one by one, in rank order: ``row = unit(ema_decay * row +
    (1 - ema_decay) * feature)`` (Sun and Li 2023, OpenCon); a feature opposite to it leaves it
    as it is (:func:`unit_mixture`). A learnable prototype is a parameter, which the optimizer
    moves; its rows come with gradient.

    Args:
        length: C, number of prototypes.
        dim: D, width of a row.
        ema_decay: Weight of the old row, in [0, 1); None makes the prototypes learnable.
        init_seed: Seed of the random rows that they start from.

    Attributes:
        weight: (C, D) the parameter of learnable prototypes, else None.
        count: (C,) int64, members that each moving average has seen.

    Raises:
        ValueError: A size below 1 or a weight out of range.

    >>> prototypes = Prototypes(length=3, dim=2, ema_decay=0.0)
    >>> prototypes.enqueue(torch.tensor([[0.0, 1.0]]), labels=torch.tensor([2]))
    >>> prototypes.features[2].tolist(), prototypes.count.tolist()
    ([0.0, 1.0], [0, 0, 1])
    """

    count: Tensor

    def __init__(
        self, length: int, dim: int = 128, ema_decay: float | None = 0.9, init_seed: int = 0
    ) -> None:
        super().__init__(length, dim, init_seed)
        number = is_number(ema_decay)
        if ema_decay is not None and not (number and 0 <= ema_decay < 1):
            raise ValueError(
                f'Prototypes ema_decay is {ema_decay!r}; expected the weight of the old row, in '
                '[0, 1), such as 0.9, or None for learnable prototypes.'
            )
        self.ema_decay, self.writable = ema_decay, ema_decay is not None
        self.labels.copy_(torch.arange(length))
        self.register_buffer('count', torch.zeros(length, dtype=torch.int64))
        self.weight = nn.Parameter(self.features.clone()) if ema_decay is None else None

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'{super().extra_repr()}, ema_decay={self.ema_decay}'

    def snapshot(self) -> Tensor:
        """Return (C, D) unit rows: with gradient if learnable, else a copy."""
        return super().snapshot() if self.weight is None else unit_rows(self.weight)

    def bounds(self) -> dict[str, tuple[int, int | None]]:
        """Return the least and the largest value of each buffer of whole numbers."""
        return dict(super().bounds(), count=(0, None))

    def held(self) -> Tensor:
        """Return (C,) bool, prototypes that have had a member; all of learnable ones."""
        return self.count > 0 if self.weight is None else torch.ones_like(self.count).bool()

    @torch.no_grad()
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Move each prototype towards the members of its class, of all ranks.

        Args:
            features: (B_r, D) unit rows of this rank; one that is not finite is passed over.
            labels: (B_r,) class of each; -1 is passed over.
            indices: Not used.

        Raises:
            ValueError: Learnable prototypes, no labels, or another shape.
        """
        if self.weight is not None or self.ema_decay is None:
            raise ValueError(
                'learnable prototypes are moved by the optimizer, not written; set ema_decay, such '
                'as 0.9, for a moving average.'
            )
        self.check_keys(features, labels, indices)
        if labels is None:
            raise ValueError('Prototypes.enqueue needs the class of every feature, got none.')
        counts = row_counts(len(features))
        rows = gather_rows(features.float(), counts)  # (M, D)
        classes = gather_rows(labels.to(self.labels), counts)  # (M,)
        taken = rows.isfinite().all(1) & (classes >= 0) & (classes < self.length)  # (M,)
        classes = classes.clamp(0, self.length - 1)  # (M,)
        # One by one: a row is scaled to unit length after each of its members.
        for row, c, use in zip(rows.split(1), classes.split(1), taken.split(1), strict=True):
            old = self.features.index_select(0, c)  # (1, D)
            # (1, D)
            new = unit_mixture(self.ema_decay * old + (1 - self.ema_decay) * row, old)
            self.features.index_copy_(0, c, torch.where(use[:, None], new, old))
        self.count.index_add_(0, classes, taken.to(self.count))
