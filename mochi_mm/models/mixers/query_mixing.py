"""MoCHi's second kind of synthetic negative: the query mixed into a hard negative."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.mixing import MIN_NORM, query_mixing_cosines
from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Plan


@MODELS.register_module()
class QueryMixing(BaseMixer):
    """Mix the query into one of the N hardest, ``h = unit(w q + (1 - w) n_j)``.

    The weight w is uniform below ``max_weight``. The query's share stays below the negative's, so h
    is a negative still, harder than n_j.
    Source: Kalantidis et al. 2020; ``num`` is the paper's s'.

    Args:
        num: S, synthetic negatives per query.
        max_weight: Bound that the query's weight w always stays below, in (0, 0.5].

    >>> from mochi_mm.structures import HardNegatives, Plan
    >>> query = torch.tensor([[0.6, 0.8]])
    >>> hard = HardNegatives.find(query, torch.eye(2), num_hard=2)  # (0, 1) before (1, 0)
    >>> plan = Plan(torch.tensor([[1]]), torch.tensor([[0.5]]))
    >>> QueryMixing(num=1).features(query, hard, plan)  # half (0.6, 0.8), half (1, 0)
    tensor([[[0.8944, 0.4472]]])
    """

    def __init__(self, num: int, max_weight: float = 0.5) -> None:
        super().__init__(num)
        if not 0 < max_weight <= 0.5:
            raise ValueError(
                f'QueryMixing max_weight is {max_weight}; expected a bound in (0, 0.5]: a query '
                'weight at or above 0.5 would make the "negative" more query than negative.'
            )
        self.max_weight = max_weight

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw ``first`` (B, S) in the N and ``weight`` (B, S) of the query."""
        first = self.draw_positions(hard, generator)
        weight = torch.rand(first.shape, generator=generator, device=first.device)
        return Plan(first=first, weight=weight * self.max_weight)

    def features(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return the mixtures themselves, (B, S, D)."""
        rows = torch.arange(len(hard.index), device=hard.index.device)[:, None]  # (B, 1)
        weight = plan.weight[..., None]
        # (B, S, D)
        mixed = weight * query.detach()[:, None] + (1 - weight) * hard.features[rows, plan.first]
        return F.normalize(mixed, dim=-1, eps=MIN_NORM).detach()

    def cosines(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return their cosines with the query, (B, S), without a new dot product."""
        return query_mixing_cosines(
            query, hard.bank, hard.index, hard.similarity, plan.first, plan.weight
        )
