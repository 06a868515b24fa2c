"""Comparison of an exported network with ours."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from mochi_mm.export.source import BackboneSource, PooledBackbone
from mochi_mm.export.target import Target

TOLERANCE = 1e-4
#: Of the images, where the backbone takes any.
SIZE = (96, 64)


@dataclass(frozen=True)
class Equality:
    """The outcome of a comparison.

    Attributes:
        checked_in: Library that read the file.
        max_difference: Largest absolute difference of two features.
        scale: Largest absolute feature of ours.
        tolerance: Largest difference allowed, as a share of ``scale``.
        images: Shape of the images, drawn from N(0, 1) with a fixed seed.
    """

    checked_in: str
    max_difference: float
    scale: float
    tolerance: float
    images: list[int]

    @property
    def holds(self) -> bool:
        """Return whether the two agree; NaN does not."""
        return self.max_difference <= self.tolerance * self.scale

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@torch.no_grad()
def compare(
    source: BackboneSource, target: Target, path: Path, tolerance: float = TOLERANCE
) -> Equality:
    """Return the difference between the features of ``path`` and ours, on two random images."""
    backbone = source.module()
    size = getattr(backbone, 'image_size', None) or SIZE
    images = torch.randn(2, source.channels(), *size, generator=torch.Generator().manual_seed(0))
    ours = PooledBackbone(backbone)(images)
    how, theirs = target.features(source, path, images)
    if theirs.shape != ours.shape:
        raise ValueError(
            f'the exported network gives features {tuple(theirs.shape)}, ours {tuple(ours.shape)}.'
        )
    difference = float((theirs - ours).abs().max())
    return Equality(how, difference, float(ours.abs().max()), tolerance, list(images.shape))
