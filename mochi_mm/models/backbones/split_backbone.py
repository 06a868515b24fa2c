"""Several backbones, each on channels of its own (Tian et al. 2020, CMC)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.registry import MODELS
from mochi_mm.structures.protocols import Backbone


class _Part(Backbone, Protocol):
    in_channels: int


@MODELS.register_module()
class SplitBackbone(BaseModule):
    """Backbones on consecutive channels of the image, whose features are concatenated.

    With ``in_channels`` 1 and 2 and a preprocessor that gives Lab it is CMC's network: one half
    sees the lightness, the other the color, and the representation is the concatenation.

    Args:
        backbones: Backbones with ``in_channels``, as configs or modules; their last maps must have
            one size.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Fewer than two backbones; when called, another number of channels.
    """

    def __init__(
        self, backbones: Sequence[dict | nn.Module], init_cfg: dict | list[dict] | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.backbones = nn.ModuleList(
            MODELS.build(part) if isinstance(part, dict) else part for part in backbones
        )
        built = cast(Sequence[_Part], self.backbones)
        if len(built) < 2:
            raise ValueError(f'backbones holds {len(built)}; expected at least two.')
        self.in_channels = [int(part.in_channels) for part in built]
        self.out_channels = sum(int(part.out_channels) for part in built)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the last map (B, out_channels, H, W) of images (B, sum of in_channels, H, W)."""
        if images.shape[1] != sum(self.in_channels):
            raise ValueError(
                f'images of {images.shape[1]} channels for backbones that take {self.in_channels}; '
                'expected as many as these together.'
            )
        parts = images.split(self.in_channels, dim=1)
        maps = [part(x)[-1] for part, x in zip(self.backbones, parts, strict=True)]
        return (torch.cat(maps, dim=1),)
