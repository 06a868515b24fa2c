"""Features of one view, at every place where a head may tap them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

#: Places where features can be tapped, from the images on.
TAPS = ('backbone', 'neck', 'predictor')


@dataclass(frozen=True)
class Features:
    """Features of B images behind each part of an encoder.

    Attributes:
        backbone: (B, C) pooled.
        neck: (B, D) raw embeddings; the pooled features where there is no neck.
        predictor: (B, D) predicted embeddings; those of the neck where there is no predictor.
    """

    backbone: Tensor
    neck: Tensor
    predictor: Tensor

    def at(self, tap: str) -> Tensor:
        """Return the features at ``tap``, one of ``TAPS``."""
        return dict(backbone=self.backbone, neck=self.neck, predictor=self.predictor)[tap]
