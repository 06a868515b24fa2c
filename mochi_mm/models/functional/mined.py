"""Mining: the candidates of each anchor that are the most similar among those allowed."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.models.functional.hardest import select_hardest


def mined(similarity: Tensor, allowed: Tensor, num: int) -> Tensor:
    """Return (A, M) bool, the ``num`` allowed candidates of each anchor with the largest values.

    All of them where fewer are allowed. The least similar ones are those of ``-similarity``.

    Args:
        similarity: (A, M); no gradient is taken.
        allowed: (A, M) bool.
        num: Number of candidates, from 0 to M.

    >>> similarity = torch.tensor([[0.9, 0.1, 0.5, 0.7]])
    >>> mined(similarity, torch.tensor([[False, True, True, True]]), 2).tolist()
    [[False, False, True, True]]
    """
    index, values = select_hardest(similarity.detach().masked_fill(~allowed, -torch.inf), num)
    # Only -inf stands for what is not allowed: NaN is chosen, and shows in the loss.
    return torch.zeros_like(allowed).scatter(1, index, values != -torch.inf)
