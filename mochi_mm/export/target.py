"""Interface of an export format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from mochi_mm.export.source import BackboneSource

#: Metadata by name, all text.
Metadata = dict[str, str]


@dataclass(frozen=True)
class Target:
    """One format.

    Attributes:
        name: Value of ``--to``.
        suffix: Suffix of the file; empty for a folder.
        write: Called with source, path and metadata; writes the file or fills the folder.
        features: Called with source, the written path and normalized images (B, C, H, W); returns
            how it read the file, for people, and the features (B, C) that it got.
        usage: Called with source and the name of the file; how to load it, one line of code.
        orders: Orders of channels, or color spaces, that the library can read images in; None for
            a format that leaves the images to whoever computes with it.
        any_channels: Whether images may have another number of channels than three.
    """

    name: str
    suffix: str
    write: Callable[[BackboneSource, Path, Metadata], None]
    features: Callable[[BackboneSource, Path, Tensor], tuple[str, Tensor]]
    usage: Callable[[BackboneSource, str], str]
    orders: tuple[str, ...] | None = ('rgb',)
    any_channels: bool = False
