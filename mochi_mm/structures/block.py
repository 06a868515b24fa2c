"""Candidates that the anchors of a batch are compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mochi_mm.structures.masks import either


@dataclass(frozen=True)
class Block:
    """M candidates of one origin (own keys, a memory, the batch, prototypes) for A anchors.

    A candidate pushes every anchor unless a field says otherwise.

    Attributes:
        name: Origin: ``own``, ``memory``, ``batch``, ``synthetic``, ...
        similarity: (A, M) similarity of anchor and candidate, with gradient where it should flow;
            no temperature.
        rows: (M, D) what the similarity was taken with, for mixing and for finding false
            negatives, or (A, M, D) where each anchor has candidates of its own. None where the
            candidates cannot be mixed. Mixing treats them as constants.
        pull: (A, M) weights >= 0, above 0 where the candidate attracts the anchor; a number for
            all of them; None for none.
        push_bias: (A, M), or what broadcasts to it: added to the logit in the denominator alone.
            -inf leaves the candidate out of it.
        dropped: (A, M) bool, where the objective does not see the candidate at all.
        mixable: True or (A, M) bool, where the candidate may be mixed into a hard negative.
        temperature: Divides the similarity of this block; None takes the head's.
        labels: (M,) int64 class of each candidate, -1 if unknown; None where no one asked.
        itself: (A, M) bool, where the candidate is the anchor, which drops it; None for nowhere.
        same_image: (A, M) bool, where the candidate is another embedding of the anchor's image;
            None where no one asked.
        held: (M,) bool, candidates that are embeddings of images; None for all of them.
        false_negative: (A, M) bool, candidates that the head takes for images of the anchor's
            class; None where no one looked.
        classes: (A,) and (M,) class of anchors and candidates by the labels of the data set, -1 if
            unknown, for statistics alone; None where no one asked.
    """

    name: str
    similarity: Tensor
    rows: Tensor | None = None
    pull: Tensor | float | None = None
    push_bias: Tensor | None = None
    dropped: Tensor | None = None
    mixable: Tensor | bool = False
    temperature: float | None = None
    labels: Tensor | None = None
    itself: Tensor | None = None
    same_image: Tensor | None = None
    held: Tensor | None = None
    false_negative: Tensor | None = None
    classes: tuple[Tensor, Tensor] | None = None

    def need(self, name: str) -> Tensor:
        """Return a field that the caller cannot do without.

        Raises:
            ValueError: The block does not have it.
        """
        value = getattr(self, name)
        if not isinstance(value, Tensor):
            raise ValueError(f'the block {self.name!r} has no {name}, which this objective needs.')
        return value

    def but(self, **changes: Any) -> Block:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def drop(self, mask: Tensor | None) -> Block:
        """Return the block without the masked candidates: they neither pull, push nor are mixed."""
        return self.but(dropped=either(self.dropped, mask)).spare(mask)

    def spare(self, mask: Tensor | None) -> Block:
        """Return the block whose masked candidates are never mixed."""
        if mask is None or self.mixable is False:
            return self
        return self.but(mixable=~mask if self.mixable is True else self.mixable & ~mask)

    def attract(self, mask: Tensor) -> Block:
        """Return the block whose masked candidates, (A, M) bool, pull with weight 1 each.

        What pulls is a positive, so it is never mixed.
        """
        return self.but(pull=mask.to(self.similarity.dtype)).spare(mask)

    def seen(self) -> Tensor:
        """Return (A, M) the similarity, -inf where the candidate is dropped."""
        if self.dropped is None:
            return self.similarity
        return self.similarity.masked_fill(self.dropped, float('-inf'))

    def positive(self) -> Tensor | None:
        """Return (A, M) bool, where the candidate attracts the anchor; None for nowhere."""
        if isinstance(self.pull, Tensor):
            return self.pull > 0
        if self.pull is None:
            return None
        return self.similarity.new_full(self.similarity.shape, self.pull).bool()

    def negative(self) -> Tensor:
        """Return (A, M) bool, where the candidate pushes and is an embedding of another image."""
        hidden = either(either(self.dropped, self.positive()), self.same_image)
        if self.held is not None:
            hidden = either(hidden, ~self.held[None])
        pushing = torch.ones_like(self.similarity, dtype=torch.bool)
        return pushing if hidden is None else pushing & ~hidden
