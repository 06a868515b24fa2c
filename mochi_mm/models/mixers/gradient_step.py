"""SynCo's fifth strategy: a hard negative moved up the gradient of its cosine."""

from __future__ import annotations

import torch

from mochi_mm.models.mixers.query_mixing import QueryMixing
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives, Plan
from mochi_mm.utils.checks import check_number


@MODELS.register_module()
class GradientStep(QueryMixing):
    """Move one of the N hardest up the gradient of its cosine, ``h = unit(n_j + step * q)``.

    The gradient of q.n in n is q. Up to its length h is query mixing with the constant weight
    ``step / (1 + step)``.
    Source: SynCo, type 5 (Giakoumoglou and Stathaki 2024; formula from the authors' code).

    Args:
        num: S, synthetic negatives per query.
        step: Length of the step, > 0.

    >>> from mochi_mm.structures import HardNegatives
    >>> query = torch.tensor([[0.6, 0.8]])
    >>> hard = HardNegatives.find(query, torch.eye(2), num_hard=1)  # (0, 1)
    >>> mixer = GradientStep(num=1, step=1.0)
    >>> mixer.features(query, hard, mixer.plan(hard))  # (0.6, 1.8), scaled
    tensor([[[0.3162, 0.9487]]])
    """

    def __init__(self, num: int, step: float = 0.01) -> None:
        super().__init__(num)
        self.step = check_number('GradientStep step', step, 0.01, most=1e6)

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        """Draw ``first`` (B, S) in the N; ``weight`` (B, S) is the same everywhere."""
        first = self.draw_positions(hard, generator)
        weight = self.step / (1 + self.step)
        return Plan(first=first, weight=torch.full(first.shape, weight, device=first.device))
