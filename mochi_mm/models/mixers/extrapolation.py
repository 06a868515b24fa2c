"""SynCo's second strategy: a hard negative pushed away from the query."""

from __future__ import annotations

import torch

from mochi_mm.models.mixers.query_mixing import QueryMixing
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Plan


@MODELS.register_module()
class Extrapolation(QueryMixing):
    """Push one of the N hardest away from the query, ``h = unit(q + b (n_j - q))``.

    The reach b is uniform in [1, ``max_reach``). It is query mixing with the negative weight
    ``1 - b`` of the query, and has its closed form.
    Source: SynCo, type 2 (Giakoumoglou and Stathaki 2024; formula from the authors' code).

    Args:
        num: S, synthetic negatives per query.
        max_reach: Bound that b stays below, > 1. At 1 the negative itself.

    >>> from mochi_mm.structures import HardNegatives, Plan
    >>> query = torch.tensor([[0.6, 0.8]])
    >>> hard = HardNegatives.find(query, torch.eye(2), num_hard=2)  # (0, 1) before (1, 0)
    >>> plan = Plan(torch.tensor([[1]]), torch.tensor([[-0.5]]))
    >>> Extrapolation(num=1).features(query, hard, plan)  # (1, 0), half as far again
    tensor([[[ 0.9487, -0.3162]]])
    """

    def __init__(self, num: int, max_reach: float = 1.5) -> None:
        super().__init__(num)
        if not 1 < max_reach <= 1e6:
            raise ValueError(
                f'Extrapolation max_reach is {max_reach}; expected a number above 1, such as 1.5: '
                'at or below 1 nothing lies beyond the negative, and above 1e6 nothing is near.'
            )
        self.max_reach = max_reach

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw ``first`` (B, S) in the N and ``weight`` (B, S) of the query, ``1 - b``."""
        first = self.draw_positions(hard, generator)
        weight = torch.rand(first.shape, generator=generator, device=first.device)
        return Plan(first=first, weight=-weight * (self.max_reach - 1))
