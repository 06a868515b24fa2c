"""What stands in the cells of a feature map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Cells:
    """Features of the P cells of the last feature map of B images, row by row of the map.

    Attributes:
        backbone: (B, P, C) features of the map.
        neck: (B, P, D) raw embeddings of them.
    """

    backbone: Tensor
    neck: Tensor

    def each(self, function: Callable[[Tensor], Tensor]) -> Cells:
        """Return the cells after a function of their rows, such as another order of the images."""
        return Cells(function(self.backbone), function(self.neck))
