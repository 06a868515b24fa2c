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
    def of(cls, model: nn.Module) -> LearnedFeatures:
        """Return those of a model, bare or in a data-parallel wrapper.

        Raises:
            ValueError: It has no head, or several, that learn a similarity.
        """
        bare: Any = unwrap(model)
        heads = [getattr(bare, 'head', None), *dict(getattr(bare, 'heads', None) or {}).values()]
        found = [head for head in heads if isinstance(head, LearnedSimilarity)]
        if len(found) != 1:
            names = ', '.join(type(head).__name__ for head in heads if head is not None) or 'none'
            raise ValueError(
                f"similarity='learned' but the model has {len(found)} heads that learn one (its "
                f"heads: {names}); expected one, such as BregmanHead, or similarity='cosine'."
            )
        return cls(bare, found[0])

    def encode(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return (B, K) what the head compares, of a batch of one view (B, 3, H, W)."""
        (images,) = self.model.in_layout(inputs)
        return self.head.outputs(self.model.embed(images).at(self.head.tap))

    def similarity(self, rows: Tensor, candidates: Tensor) -> Tensor:
        """Return the similarity (A, M) of rows (A, K) and candidates (M, K)."""
        return self.head.similarity(rows, candidates)
