"""MoCHi's first kind of synthetic negative: two hard negatives mixed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.mixing import MIN_NORM
from mochi_mm.models.kernels import pair_mixing_cosines
from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Plan


@MODELS.register_module()
class PairMixing(BaseMixer):
    """Mix two of the N hardest, ``h = unit(w n_i + (1 - w) n_j)``, w uniform in (0, 1).

    Source: Kalantidis et al. 2020; ``num`` is the paper's s.

    Args:
        num: S, synthetic negatives per query.
        distinct: Never mix a negative with itself. The paper says "random"; public code draws the
            two independently, so with probability 1/N they coincide and h is a plain negative.

    >>> from mochi_mm.structures import HardNegatives, Plan
    >>> query = torch.tensor([[0.6, 0.8]])
    >>> hard = HardNegatives.find(query, torch.eye(2), num_hard=2)  # (0, 1) before (1, 0)
    >>> plan = Plan(torch.tensor([[0]]), torch.tensor([[0.5]]), second=torch.tensor([[1]]))
    >>> PairMixing(num=1).features(query, hard, plan)
    tensor([[[0.7071, 0.7071]]])
    """

    def __init__(self, num: int, distinct: bool = False) -> None:
        super().__init__(num)
        self.distinct = distinct

    def check_num_hard(self, num_hard: int) -> None:
        """Refuse a single hard negative where pairs must be distinct."""
        if self.distinct and num_hard < 2:
            raise ValueError(
                'PairMixing(distinct=True) mixes two different negatives, but num_hard is '
                f'{num_hard}; expected at least 2.'
            )

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw ``first`` and ``second`` (B, S) in the N, and ``weight`` (B, S) of ``first``.

        Raises:
            ValueError: ``distinct`` with a single hard negative to draw from.
        """
        self.check_num_hard(hard.index.shape[1])
        first = self.draw_positions(hard, generator)
        second = self.draw_positions(hard, generator, below=int(self.distinct))
        if self.distinct:
            # Skipping over ``first`` makes the pair distinct and keeps the draw uniform.
            limit = hard.index.shape[1] if hard.count is None else hard.count[:, None]
            second = (second + (second >= first)) % torch.as_tensor(limit).clamp_min(1).to(second)
        weight = torch.rand(first.shape, generator=generator, device=first.device)
        return Plan(first=first, second=second, weight=weight)

    def features(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return the mixtures themselves, (B, S, D)."""
        rows = torch.arange(len(hard.index), device=hard.index.device)[:, None]  # (B, 1)
        weight = plan.weight[..., None]  # (B, S, 1)
        features = hard.features  # (B, N, D)
        # (B, S, D)
        mixed = weight * features[rows, plan.first] + (1 - weight) * features[rows, plan.second]
        return F.normalize(mixed, dim=-1, eps=MIN_NORM).detach()

    def cosines(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return their cosines with the query, (B, S), from scalars alone."""
        if plan.second is None:
            raise ValueError('PairMixing got a plan without `second`; expected one of its own.')
        return pair_mixing_cosines(
            query, hard.bank, hard.index, hard.similarity, plan.first, plan.second, plan.weight
        )
