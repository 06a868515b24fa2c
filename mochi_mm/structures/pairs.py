"""What an in-batch objective works on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Pairs:
    """This rank's embeddings (anchors) with those of all ranks (candidates).

    Rows stand image by image, the V views of an image together, ranks one after the other: with B
    images here, N = B V anchors and M candidates.

    Attributes:
        cosine: (N, M) float32 cosines, with gradient for both sides, exact across ranks.
        itself: (N, M) bool, where the candidate is the anchor.
        same_image: (N, M) bool, where it is another view of the anchor's image.
        candidates: (M, D) unit rows, with gradient.
        num_views: V.
        first: Row of the first anchor among the candidates.
    """

    cosine: Tensor
    itself: Tensor
    same_image: Tensor
    candidates: Tensor
    num_views: int
    first: int

    def of_anchors(self, candidates: Tensor) -> Tensor:
        """Return the (N, ...) rows of (M, ...) values that belong to this rank's anchors."""
        return candidates[self.first : self.first + len(self.cosine)]

    def equal(self, values: Tensor) -> Tensor:
        """Return (N, M) bool: the candidate has the anchor's value and is not the anchor.

        Args:
            values: (M,) of the candidates, such as their classes.
        """
        return (self.of_anchors(values)[:, None] == values[None]) & ~self.itself
