"""Draws of a mixer, before any arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Plan:
    """Choice of the hard negatives that are mixed, and the weight of each.

    Attributes:
        first: (B, S) int64 in [0, N), the hard negative that is mixed.
        weight: (B, S) float, of ``first`` in pair mixing, of the query in query mixing.
        second: (B, S) int64 in [0, N), the partner in pair mixing; None where it is the query.
        noise: (S, D) float, what is added where noise is; the same for all queries of the batch.
    """

    first: Tensor
    weight: Tensor
    second: Tensor | None = None
    noise: Tensor | None = None
