"""Base class of all mixers: a plan, the plain reference and the fast cosines."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from mochi_mm.argument_kinds import is_integer
from mochi_mm.structures import HardNegatives, Plan


class BaseMixer(nn.Module, ABC):
    """Base class of mixers, which synthesize ``num`` negatives per query from its hardest ones.

    Args:
        num: S, synthetic negatives per query; may exceed the number of hard negatives.

    >>> from mochi_mm.models.mixers import PairMixing
    >>> from mochi_mm.structures import HardNegatives
    >>> query, bank = torch.nn.functional.normalize(torch.randn(66, 16), dim=1).split([2, 64])
    >>> hard = HardNegatives.find(query, bank, num_hard=8)
    >>> mixer = PairMixing(num=32)
    >>> plan = mixer.plan(hard, torch.Generator().manual_seed(0))
    >>> mixer.features(query, hard, plan).shape, mixer.cosines(query, hard, plan).shape
    (torch.Size([2, 32, 16]), torch.Size([2, 32]))
    """

    def __init__(self, num: int) -> None:
        super().__init__()
        if not is_integer(num) or num < 1:
            raise ValueError(
                f'{type(self).__name__} num is {num!r}; expected an integer >= 1 (synthetic '
                'negatives per query). To switch this mixing off, take the mixer out of the list.'
            )
        self.num = num

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'num={self.num}'

    def check_num_hard(self, num_hard: int) -> None:
        """Refuse a number N = ``num_hard`` of negatives that this mixer cannot work on.

        A head calls it when it is built. Any N will do, unless a mixer says otherwise.
        """

    @abstractmethod
    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw which negatives are mixed and how much of each.

        Args:
            hard: The hardest negatives of each query.
            generator: Source of the draws, on the device of ``hard``; None takes torch's own.
        """

    @abstractmethod
    def features(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return the synthetic negatives, (B, S, D) unit rows without gradient: the reference.

        A mixture shorter than ``functional.mixing.MIN_NORM``, as of two opposite rows half and
        half, has no direction that float32 knows: its row is shorter than one, down to 0.

        Args:
            query: (B, D) unit rows.
            hard: The hardest negatives of each query.
            plan: Draws of :meth:`plan`.
        """

    @abstractmethod
    def cosines(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return the cosines of each query with its synthetic negatives, (B, S): the fast path.

        Equal to ``query . features``, with the same gradient for the query, without (B, S, D).
        """

    def draw_positions(
        self, hard: HardNegatives, generator: torch.Generator | None, below: int = 0
    ) -> Tensor:
        """Return (B, S) int64 positions, uniform over the usable hard negatives of each query.

        Args:
            hard: Hard negatives; their ``count`` is the number of the N that each query may use.
            generator: Source of the draws.
            below: Draw from ``below`` fewer positions.
        """
        batch, available = hard.index.shape
        # (B, S)
        uniform = torch.rand(batch, self.num, generator=generator, device=hard.index.device)
        limit = hard.index.new_full((batch,), available) if hard.count is None else hard.count
        limit = (limit - below).clamp_min(1)[:, None]  # (B, 1)
        return torch.minimum((uniform * limit).long(), limit - 1)
