"""Features of one view, at every place where a head may tap them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mochi_mm.structures.cells import Cells

#: Places where features can be tapped, one row for each image, from the images on.
TAPS = ('backbone', 'neck', 'predictor')
#: The tap that gives a row for each cell of the feature map, where the neck embeds cells.
CELLS = 'cells'


@dataclass(frozen=True)
class Features:
    """Features of B images behind each part of an encoder.

    Attributes:
        backbone: (B, C) pooled.
        neck: (B, D) raw embeddings; the pooled features where there is no neck.
        predictor: (B, D) predicted embeddings; those of the neck where there is no predictor.
        cells: Features and embeddings of each cell of the map; None where the neck embeds none.
    """

    backbone: Tensor
    neck: Tensor
    predictor: Tensor
    cells: Cells | None = None

    def at(self, tap: str) -> Tensor:
        """Return the features at ``tap``: (B, C) or (B, D) of ``TAPS``, (B, P, D) of ``CELLS``.

        Raises:
            KeyError: Another tap, or cells that there are none of.
        """
        if tap == CELLS:
            return self._cells().neck
        return dict(backbone=self.backbone, neck=self.neck, predictor=self.predictor)[tap]

    def before(self, tap: str) -> Tensor:
        """Return the features of the backbone that those at ``tap`` are made of.

        (B, C) pooled; (B, P, C), cell by cell, of ``CELLS``.
        """
        return self._cells().backbone if tap == CELLS else self.backbone

    def _cells(self) -> Cells:
        if self.cells is None:
            raise KeyError(
                "the tap 'cells' needs a neck that embeds the cells of a feature map, such as "
                'DenseCLNeck.'
            )
        return self.cells
