"""Hard negatives, the input of a mixer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HardNegatives:
    """The hardest memory rows of each query, by reference.

    Attributes:
        bank: (K, D) unit rows that ``index`` points into.
        index: (B, N) int64, the rows that are hard for query b, hardest first.
        similarity: (B, N) cosine of query b with those rows; no gradient, no temperature; 0 where
            a row must not be used.
        count: (B,) int64, how many of the N may be used: the first ``count[b]`` of row b. None
            means all of them. Masked rows (own stale keys, an oracle's own class) sort last.
    """

    bank: Tensor
    index: Tensor
    similarity: Tensor
    count: Tensor | None = None

    @classmethod
    def find(cls, query: Tensor, bank: Tensor, num_hard: int) -> HardNegatives:
        """Return the rows of a bank with the largest cosine to each query, all of them usable.

        Args:
            query: (B, D) unit rows.
            bank: (K, D) unit rows.
            num_hard: N <= K.

        Raises:
            ValueError: N above K or below 1.

        >>> hard = HardNegatives.find(torch.tensor([[0.6, 0.8]]), torch.eye(2), num_hard=2)
        >>> hard.index, hard.similarity
        (tensor([[1, 0]]), tensor([[0.8000, 0.6000]]))
        """
        if not 1 <= num_hard <= len(bank):
            raise ValueError(
                f'num_hard is {num_hard} but the bank holds {len(bank)} rows; expected '
                f'1 <= num_hard <= {len(bank)}.'
            )
        similarity, index = (query.detach() @ bank.T).topk(num_hard, dim=1)
        return cls(bank, index, similarity)

    def usable(self) -> Tensor:
        """Return (B, N) bool, where a hard negative may be used."""
        position = torch.arange(self.index.shape[1], device=self.index.device)
        if self.count is None:
            return (position >= 0).expand_as(self.index)
        return position < self.count[:, None]

    def masked_similarity(self) -> Tensor:
        """Return (B, N) the similarity, -inf where a hard negative must not be used."""
        return self.similarity.masked_fill(~self.usable(), float('-inf'))

    @property
    def features(self) -> Tensor:
        """Return the rows themselves, (B, N, D): B*N*D numbers, for references and tests."""
        return self.bank[self.index]
