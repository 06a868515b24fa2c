"""SynCo's fourth strategy: a hard negative with noise added."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.mixing import MIN_NORM
from mochi_mm.models.functional.moved_negatives import noise_cosines
from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Plan
from mochi_mm.utils.checks import check_number


@MODELS.register_module()
class NoiseInjection(BaseMixer):
    """Add noise to one of the N hardest, ``h = unit(n_j + e)``, each coordinate of e normal.

    The S draws of e are shared by the queries of a batch: every synthetic negative has the
    distribution of SynCo's, those of different queries are correlated, and (B, S, D) numbers are
    neither drawn nor held.
    Source: SynCo, type 4 (Giakoumoglou and Stathaki 2024; formula from the authors' code).

    Args:
        num: S, synthetic negatives per query.
        std: Standard deviation of each coordinate of e, > 0.

    >>> from mochi_mm.structures import HardNegatives, Plan
    >>> query = torch.tensor([[0.6, 0.8]])
    >>> hard = HardNegatives.find(query, torch.eye(2), num_hard=1)  # (0, 1)
    >>> noise = Plan(torch.tensor([[0]]), torch.ones(1, 1), noise=torch.tensor([[1.0, 0.0]]))
    >>> NoiseInjection(num=1).features(query, hard, noise)
    tensor([[[0.7071, 0.7071]]])
    """

    def __init__(self, num: int, std: float = 0.01) -> None:
        super().__init__(num)
        self.std = check_number('NoiseInjection std', std, 0.01, most=1e6)

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw ``first`` (B, S) in the N and ``noise`` (S, D); ``weight`` (B, S) is 1."""
        first = self.draw_positions(hard, generator)
        shape = (self.num, hard.bank.shape[1])
        noise = torch.randn(shape, generator=generator, device=first.device) * self.std
        weight = torch.ones(first.shape, device=first.device)
        return Plan(first=first, weight=weight, noise=noise.to(hard.bank.dtype))

    def features(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return the noisy negatives themselves, (B, S, D)."""
        rows = torch.arange(len(hard.index), device=hard.index.device)[:, None]
        moved = hard.features[rows, plan.first] + _noise(plan)
        return F.normalize(moved, dim=-1, eps=MIN_NORM).detach()

    def cosines(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return their cosines with the query, (B, S)."""
        return noise_cosines(
            query, hard.bank, hard.index, hard.similarity, plan.first, _noise(plan)
        )


def _noise(plan: Plan) -> Tensor:
    if plan.noise is None:
        raise ValueError('the plan has no noise; expected one that NoiseInjection.plan drew.')
    return plan.noise
