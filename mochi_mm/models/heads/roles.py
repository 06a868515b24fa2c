"""What the rows of a memory are to each query."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Roles:
    """Which memory rows pull, which push, which are mixed. None stands for "no row".

    A row that no attribute names is a plain negative: it pushes, and can be mixed.

    Attributes:
        dropped: (B, K) bool, rows that the loss does not see at all.
        unmixed: (B, K) bool, rows that are never chosen as hard negatives.
        positives: (B, K) bool, rows that pull just as an own key does; they are never mixed.
        target: (B, K) share >= 0 that each row has in what the query is pulled to, in place of
            ``positives``; the own keys have the rest up to 1. Such rows can be mixed.
    """

    dropped: Tensor | None = None
    unmixed: Tensor | None = None
    positives: Tensor | None = None
    target: Tensor | None = None

    def weights(self, own: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the pull of the own keys (B, P) and of the rows (B, K), up to a factor a query.

        Args:
            own: (B, P) cosines with the own keys, for its shape.

        Returns:
            None where the own keys alone pull.
        """
        if self.target is not None:
            rest = (1 - self.target.sum(1, keepdim=True)).clamp_min(0)
            return (rest / own.shape[1]).expand_as(own), self.target
        if self.positives is not None:
            return own.new_ones(own.shape), self.positives.to(own.dtype)
        return None


def either(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Return the union of two masks, either of which may be None."""
    if first is None or second is None:
        return second if first is None else first
    return first | second


def without(cosines: Tensor, mask: Tensor | None) -> Tensor:
    """Return the cosines, -inf where the mask is set."""
    return cosines if mask is None else cosines.masked_fill(mask, float('-inf'))
