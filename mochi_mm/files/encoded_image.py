"""An image file that is in memory already."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EncodedImage:
    """Hold the bytes of an image file; stands wherever an image is read from a path.

    Attributes:
        data: The whole file.
        name: Where it comes from, for errors.
    """

    data: bytes
    name: str

    def __str__(self) -> str:
        return self.name
