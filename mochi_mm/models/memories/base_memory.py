"""Base class of all memories of negatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.argument_kinds import is_integer
from mochi_mm.structures.known import check_integers

_SLACK = 0.1  # rows may have been made in 16 bits


class BaseMemory(nn.Module, ABC):
    """K unit rows that outlive a step, with the label and the data set index of each.

    All state is in persistent buffers, so a checkpoint restores it whole. Rows start as random unit
    vectors, the same on every rank and in every run.

    Args:
        length: K, number of rows.
        dim: D, width of a row.
        init_seed: Seed of the random rows that the memory starts from.

    Attributes:
        features: (K, D) float32 unit rows.
        labels: (K,) int64 class of each row, -1 if unknown.
        indices: (K,) int64 data set index of each row, -1 if unknown.

    Raises:
        ValueError: A length or a width below 1.
    """

    features: Tensor
    labels: Tensor
    indices: Tensor

    #: Whether :meth:`enqueue` writes, and not an optimizer.
    writable = True

    def __init__(self, length: int, dim: int, init_seed: int = 0) -> None:
        super().__init__()
        self._check_sizes(length, dim)
        self.length, self.dim = length, dim
        generator = torch.Generator().manual_seed(init_seed)
        rows = torch.randn(length, dim, generator=generator)
        self.register_buffer('features', F.normalize(rows, dim=1))
        self.register_buffer('labels', torch.full((length,), -1, dtype=torch.int64))
        self.register_buffer('indices', torch.full((length,), -1, dtype=torch.int64))

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'length={self.length}, dim={self.dim}'

    def snapshot(self) -> Tensor:
        """Return a copy of the rows, (K, D), that a later :meth:`enqueue` leaves alone."""
        return self.features.clone()

    def bounds(self) -> dict[str, tuple[int, int | None]]:
        """Return the least and the largest value of each buffer of whole numbers."""
        return dict(labels=(-1, None), indices=(-1, None))

    def check_state(self, saved: Mapping[str, Tensor], prefix: str = '') -> None:
        """Refuse saved buffers that no training leaves; another shape is not looked at.

        Args:
            saved: Tensors by name; what is missing is passed over.
            prefix: Text before the names of the buffers.

        Raises:
            ValueError: Rows that are no unit vectors, or a number out of its bounds.
        """
        rows = saved.get(f'{prefix}features')
        if rows is not None and rows.shape == self.features.shape:
            lengths = rows.float().norm(dim=1)
            odd = (~((lengths > 1 - _SLACK) & (lengths < 1 + _SLACK))).nonzero().flatten()
            if len(odd):
                raise ValueError(
                    f'{prefix}features has {len(odd)} rows that are no unit vectors, the first row '
                    f'{int(odd[0])} of length {float(lengths[odd[0]]):.3g}; take an earlier '
                    'checkpoint.'
                )
        for name, (least, most) in self.bounds().items():
            values = saved.get(f'{prefix}{name}')
            if values is None or not values.numel():
                continue
            low, high = int(values.amin()), int(values.amax())
            if low < least or (most is not None and high > most):
                raise ValueError(
                    f'{prefix}{name} has values from {low} to {high}; expected {least} to '
                    f'{"any" if most is None else most}. Take an earlier checkpoint.'
                )

    @abstractmethod
    def held(self) -> Tensor:
        """Return (K,) bool, rows that hold a real embedding."""

    def fill(self) -> Tensor:
        """Return the share of rows that hold a real embedding, a float32 scalar in [0, 1]."""
        return self.held().float().mean()

    def own_keys(self, indices: Tensor) -> Tensor:
        """Return (B, K) bool, rows that came from the image of each query.

        Args:
            indices: (B,) data set index of each query; -1 matches nothing.
        """
        return (indices[:, None] == self.indices[None]) & (indices[:, None] >= 0)

    def same_label(self, labels: Tensor) -> Tensor:
        """Return (B, K) bool, rows with the label of each query.

        Args:
            labels: (B,) label of each query; -1 matches nothing.
        """
        return (labels[:, None] == self.labels[None]) & (labels[:, None] >= 0)

    def check_samples(self, samples: Any) -> None:
        """Refuse the samples of a batch, on the host, that the memory has no place for.

        Args:
            samples: Tensors (B,) by name.
        """

    @abstractmethod
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Write the embeddings of all ranks, so that every rank holds the same afterwards.

        Args:
            features: (B_r, D) unit rows of this rank; B_r may differ between ranks. One that is
                not finite is passed over.
            labels: (B_r,) label of each; None writes -1.
            indices: (B_r,) data set index of each; None writes -1.

        Raises:
            ValueError: Rows of another width, or labels or indices of another number.
        """

    def check_keys(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Accept (B, D) features with integers (B,) as labels and indices, where there are any.

        Raises:
            ValueError: Another shape or type.
        """
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(
                f'keys of shape {tuple(features.shape)} do not fit a memory of width {self.dim}; '
                'expected (batch, width): set the dim of the memory to the width of the neck.'
            )
        for name, values in (('labels', labels), ('indices', indices)):
            if values is None:
                continue
            check_integers(name, values)
            if values.shape != features.shape[:1]:
                raise ValueError(
                    f'{name} of shape {tuple(values.shape)} for {len(features)} keys; '
                    'expected one for each key.'
                )

    def _check_sizes(self, length: Any, dim: Any) -> None:
        for name, value in (('length', length), ('dim', dim)):
            if not is_integer(value) or value < 1:
                raise ValueError(
                    f'{type(self).__name__} {name} is {value!r}; expected an integer >= 1.'
                )
