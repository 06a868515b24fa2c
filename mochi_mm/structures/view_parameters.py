"""Parameters of the part of an augmentation that the device applies."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ViewParameters(NamedTuple):
    """Parameters drawn for V views; collated, each tensor has a batch dimension before V.

    A named tuple, which torch's and MMEngine's collate functions keep.

    Attributes:
        of_pixel: (V, C, C) A of the colors ``A x + C m`` of a pixel x and the mean pixel m.
        of_mean: (V, C, C) the matrix C.
        sigma: (V,) standard deviation of the blur in pixels, 0 for none.
        flip: (V,) bool, whether the view is mirrored.
        box: (V, 4) top, left, height, width of the crop, in pixels of the source.
        size: (V,) int64, side of the view.
    """

    of_pixel: Tensor
    of_mean: Tensor
    sigma: Tensor
    flip: Tensor
    box: Tensor
    size: Tensor

    def of_view(self, number: int) -> ViewParameters:
        """Return the parameters of one view of a collated batch, (B, ...) each."""
        return ViewParameters(*(values[:, number] for values in self))
