"""What a mixer works on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class HardNegatives:
    """The hardest memory rows of each query, by reference.

    Attributes:
        bank: (K, D) unit rows that ``index`` points into.
        index: (B, N) int64, the rows that are hard for query b, hardest first.
        similarity: (B, N) cosine of query b with those rows; no gradient, no temperature.
        count: (B,) int64, how many of the N may be used: the first ``count[b]`` of row b. None
            means all of them. Masked rows (own stale keys, an oracle's own class) sort last.
    """

    bank: Tensor
    index: Tensor
    similarity: Tensor
    count: Tensor | None = None

    @property
    def features(self) -> Tensor:
        """The rows themselves, (B, N, D). Gathers: B*N*D numbers, for references and tests."""
        return self.bank[self.index]
