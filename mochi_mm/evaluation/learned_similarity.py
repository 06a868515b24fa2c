"""The similarity that a model has learned, for nearest neighbors by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from mochi_mm.structures.protocols import LearnedSimilarity
from mochi_mm.utils.unwrap import unwrap

#: What the nearest neighbors are nearest by.
SIMILARITIES = ('cosine', 'learned')


@dataclass(frozen=True)
class LearnedFeatures:
    """What a head compares, and how: rows of a model whose head has learned a similarity.

    Attributes:
        model: An algorithm.
        head: Its head that has learned a similarity.
    """

    model: Any
    head: Any

    @classmethod
    def all_of(cls, model: nn.Module) -> list[LearnedFeatures]:
        """Return those of each head of a model, bare or in a wrapper; none where none learns."""
        bare: Any = unwrap(model)
        return [cls(bare, head) for head in _heads(bare) if isinstance(head, LearnedSimilarity)]

    @classmethod
    def of(cls, model: nn.Module) -> LearnedFeatures:
        """Return those of a model, bare or in a data-parallel wrapper.

        Raises:
            ValueError: It has no head, or several, that learn a similarity.
        """
        found = cls.all_of(model)
        if len(found) != 1:
            names = ', '.join(type(head).__name__ for head in _heads(unwrap(model))) or 'none'
            raise ValueError(
                f"similarity='learned' but the model has {len(found)} heads that learn one (its "
                f"heads: {names}); expected one, such as BregmanHead, or similarity='cosine'."
            )
        return found[0]

    def encode(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return (B, K) what the head compares, of a batch of one view (B, 3, H, W)."""
        (images,) = self.model.in_layout(inputs)
        return self.head.outputs(self.model.embed(images).at(self.head.tap))

    def similarity(self, rows: Tensor, candidates: Tensor) -> Tensor:
        """Return the similarity (A, M) of rows (A, K) and candidates (M, K)."""
        return self.head.similarity(rows, candidates)


def _heads(model: Any) -> list[Any]:
    heads = [getattr(model, 'head', None), *dict(getattr(model, 'heads', None) or {}).values()]
    return [head for head in heads if head is not None]
