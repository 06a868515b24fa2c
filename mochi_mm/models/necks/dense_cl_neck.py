"""The two projection heads of DenseCL (Wang et al. 2021)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mochi_mm.models.necks.mlp_neck import MLPNeck
from mochi_mm.registry import MODELS


@MODELS.register_module()
class DenseCLNeck(MLPNeck):
    """An :class:`MLPNeck` of the pooled features, and one more of each cell of the feature map.

    The second, ``dense``, is made like the first: a linear layer on every cell is a 1 x 1
    convolution, and its batch norm, where there is one, counts each cell as a row. It is trained by
    a head whose ``tap`` is ``cells``, such as :class:`DenseContrastiveHead`. Parameters of the
    first have the names of :class:`MLPNeck`.
    Source: Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, CVPR
    2021, whose heads have no batch norm.

    Args:
        in_channels: Width of the feature map.
        **kwargs: As in :class:`MLPNeck`, for both.

    >>> import torch
    >>> neck = DenseCLNeck(in_channels=16, out_channels=8)
    >>> cells = torch.randn(2, 49, 16)  # of a map of 7 x 7
    >>> neck(cells.mean(1)).shape, neck.embed_cells(cells).shape
    (torch.Size([2, 8]), torch.Size([2, 49, 8]))
    """

    def __init__(self, in_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels, **kwargs)
        kwargs.pop('init_cfg', None)
        self.dense = MLPNeck(in_channels, **kwargs)

    def embed_cells(self, cells: Tensor) -> Tensor:
        """Return raw embeddings (B, P, out_channels) of P cells (B, P, in_channels)."""
        return self.dense(cells.flatten(0, 1)).unflatten(0, cells.shape[:2])
