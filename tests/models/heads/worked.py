"""Inputs of the worked values of objectives in the batch."""

from __future__ import annotations

import torch

# Two views of three images, and single views.
FIRST = [(1.0, 0.0), (0.0, 1.0), (-0.6, 0.8)]
SECOND = [(0.8, 0.6), (-0.28, 0.96), (-1.0, 0.0)]
TWO_VIEWS = torch.tensor([FIRST, SECOND]).transpose(0, 1)
# Not of unit length: the heads normalize.
RAW = TWO_VIEWS * torch.tensor([[0.5, 2.0], [3.0, 1.0], [1.0, 7.0]])[..., None]
LABELS = torch.tensor([0, 0, 1])
FIVE = torch.tensor([(1.0, 0.0), (0.8, 0.6), (0.96, 0.28), (0.0, 1.0), (-0.6, 0.8)])[:, None]
FIVE_LABELS = torch.tensor([0, 0, 0, 1, 1])
# Temperature of the loops.
T = 0.3


def random_views(images: int, views: int) -> torch.Tensor:
    """Raw embeddings (images, views, 6)."""
    return torch.randn(images, views, 6, generator=torch.Generator().manual_seed(images))
