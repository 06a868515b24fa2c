"""Results of a head for one batch, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from mochi_mm.structures.anchors import Anchors
from mochi_mm.structures.block import Block
from mochi_mm.structures.mixture import Mixed


class Write(Protocol):
    """One change of state that a step asks for, made when it is called."""

    def __call__(self) -> None:
        """Make the change."""


@dataclass(frozen=True)
class HeadStep:
    """Losses, statistics and pending writes.

    Attributes:
        losses: Scalars that are optimized, by name.
        statistics: Scalars that are logged, by name.
        writes: Changes that :meth:`commit` makes to memories, prototypes and tables, in order.
        anchors: Rows that were compared; None for heads that compare several sets.
        blocks: Candidates that they were compared with.
        mixed: Hard negatives and what was mixed from them; None where nothing can be mixed.
    """

    losses: dict[str, Tensor]
    statistics: dict[str, Tensor]
    writes: tuple[Write, ...] = ()
    anchors: Anchors | None = None
    blocks: tuple[Block, ...] = ()
    mixed: Mixed | None = None

    def block(self, name: str) -> Block:
        """Return the block called ``name``.

        Raises:
            KeyError: There is none.
        """
        for block in self.blocks:
            if block.name == name:
                return block
        names = ', '.join(block.name for block in self.blocks) or 'none'
        raise KeyError(f'no block {name!r} among the candidates of this head; it has: {names}.')

    def commit(self) -> None:
        """Write memories, prototypes and tables."""
        for write in self.writes:
            write()

    def results(self) -> dict[str, Tensor]:
        """Return losses and statistics in one dict, as MMEngine takes them."""
        return {**self.losses, **self.statistics}
