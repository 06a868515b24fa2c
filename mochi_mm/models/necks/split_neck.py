"""One neck for each part of a split backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.registry import MODELS
from mochi_mm.structures.protocols import Neck


@MODELS.register_module()
class SplitNeck(BaseModule):
    """Consecutive parts of the pooled features, each through a neck of its own.

    The counterpart of :class:`SplitBackbone`: one embedding for each part, side by side.

    Args:
        necks: Necks with ``in_channels`` and one common ``out_channels``, as configs or modules.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Fewer than two necks, or necks of different output widths.
    """

    def __init__(
        self, necks: Sequence[dict | nn.Module], init_cfg: dict | list[dict] | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.necks = nn.ModuleList(
            MODELS.build(neck) if isinstance(neck, dict) else neck for neck in necks
        )
        built = cast(Sequence[Neck], self.necks)
        widths = [int(neck.out_channels) for neck in built]
        if len(widths) < 2 or len(set(widths)) > 1:
            raise ValueError(
                f'necks of output widths {widths}; expected at least two, all of one width.'
            )
        self.widths = [int(neck.in_channels) for neck in built]
        self.in_channels = sum(self.widths)
        self.out_channels = widths[0]

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, V, out_channels) raw embeddings of (B, in_channels) pooled features."""
        parts = features.split(self.widths, dim=1)
        pairs = zip(self.necks, parts, strict=True)
        return torch.stack([neck(part) for neck, part in pairs], dim=1)
