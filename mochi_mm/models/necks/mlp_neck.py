"""The projection head (Chen et al. 2020, SimCLR; two layers without batch norm in MoCo-v2)."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.registry import MODELS


@MODELS.register_module()
class MLPNeck(BaseModule):
    """``num_layers`` linear layers with ReLU between them; one layer is MoCo-v1's projection.

    Args:
        in_channels: Width of the pooled features.
        hidden_channels: Width between the layers; None takes ``in_channels``.
        out_channels: D, width of the embedding.
        num_layers: Linear layers, >= 1.
        init_cfg: See MMEngine; the default is torch's own initialisation.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int | None = None,
        out_channels: int = 128,
        num_layers: int = 2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_layers < 1:
            raise ValueError(f'num_layers is {num_layers}; expected at least 1.')
        self.in_channels, self.out_channels = in_channels, out_channels
        hidden = hidden_channels or in_channels
        widths = [in_channels] + [hidden] * (num_layers - 1) + [out_channels]
        layers: list[nn.Module] = []
        for i in range(num_layers):
            layers += [nn.Linear(widths[i], widths[i + 1]), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, features: Tensor) -> Tensor:
        """Return raw embeddings (B, out_channels) of pooled features (B, in_channels)."""
        return self.layers(features)
