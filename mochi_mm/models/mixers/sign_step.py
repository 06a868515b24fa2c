"""SynCo's sixth strategy: a hard negative moved by the sign of the gradient of its cosine."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.mixing import MIN_NORM
from mochi_mm.models.functional.moved_negatives import sign_step_cosines
from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Plan
from mochi_mm.utils.checks import check_number


@MODELS.register_module()
class SignStep(BaseMixer):
    """Move one of the N hardest by the sign of a gradient, ``h = unit(n_j + step * sign(q))``.

    The gradient of q.n in n is q.
    Source: SynCo, type 6 (Giakoumoglou and Stathaki 2024; formula from the authors' code).

    Args:
        num: S, synthetic negatives per query.
        step: Length of the step in each coordinate, > 0.

    >>> from mochi_mm.structures import HardNegatives
    >>> query = torch.tensor([[0.6, -0.8]])
    >>> hard = HardNegatives.find(query, torch.eye(2), num_hard=1)  # (1, 0)
    >>> mixer = SignStep(num=1, step=0.5)
    >>> mixer.features(query, hard, mixer.plan(hard))  # (1.5, -0.5), scaled
    tensor([[[ 0.9487, -0.3162]]])
    """

    def __init__(self, num: int, step: float = 0.01) -> None:
        super().__init__(num)
        self.step = check_number('SignStep step', step, 0.01, most=1e6)

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw ``first`` (B, S) in the N; ``weight`` (B, S), of the negative, is 1."""
        first = self.draw_positions(hard, generator)
        return Plan(first=first, weight=torch.ones(first.shape, device=first.device))

    def features(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return the moved negatives themselves, (B, S, D)."""
        rows = torch.arange(len(hard.index), device=hard.index.device)[:, None]  # (B, 1)
        # (B, S, D)
        moved = hard.features[rows, plan.first] + self.step * query.detach().sign()[:, None]
        return F.normalize(moved, dim=-1, eps=MIN_NORM).detach()

    def cosines(self, query: Tensor, hard: HardNegatives, plan: Plan) -> Tensor:
        """Return their cosines with the query, (B, S)."""
        return sign_step_cosines(
            query, hard.bank, hard.index, hard.similarity, plan.first, self.step
        )
