"""Moving averages of unit rows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.mixing import MIN_NORM


def unit_mixture(mixed: Tensor, old: Tensor) -> Tensor:
    """Return ``mixed`` scaled to unit length; ``old`` where it is shorter than ``MIN_NORM``.

    A row and a feature opposite to it, half and half, leave nothing that has a direction.

    Args:
        mixed: (M, D) weighted sums of two unit rows.
        old: (M, D) the rows before.

    >>> old = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> unit_mixture(0.5 * old + 0.5 * torch.tensor([[-1.0, 0.0], [0.0, 1.0]]), old)
    tensor([[1.0000, 0.0000],
            [0.7071, 0.7071]])
    """
    short = torch.linalg.vector_norm(mixed, dim=1, keepdim=True) < MIN_NORM
    return torch.where(short, old, F.normalize(mixed, dim=1))
