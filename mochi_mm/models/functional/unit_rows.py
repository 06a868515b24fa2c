"""Normalization of rows to unit length."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def unit_rows(embeddings: Tensor) -> Tensor:
    """Return float32 ``x / |x|`` along the last dimension; a zero row stays zero, without gradient.

    Each row is first divided by the power of two at its largest entry, so that squares neither
    overflow nor vanish. That is exact: a row of usual length gives the bits of ``F.normalize``.

    Args:
        embeddings: (..., D) raw embeddings, of any floating type.

    >>> unit_rows(torch.tensor([[3e30, 4e30], [3e-30, 4e-30]]))
    tensor([[0.6000, 0.8000],
            [0.6000, 0.8000]])
    """
    rows = embeddings.float()
    largest = rows.detach().abs().amax(-1, keepdim=True)
    exponent = torch.frexp(largest).exponent
    half = exponent // 2  # in two steps: 2 ** 149, for the smallest number, is no float32
    rows = rows * torch.exp2(-half.float()) * torch.exp2((half - exponent).float())
    return F.normalize(rows.masked_fill(largest == 0, 0.0), dim=-1)
