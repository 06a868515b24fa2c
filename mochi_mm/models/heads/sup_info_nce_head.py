"""Epsilon-SupInfoNCE: supervised, with a margin."""

from __future__ import annotations

import math

from torch import Tensor

from mochi_mm.models.functional.contrast import contrast
from mochi_mm.models.heads.checks import check_choice, check_number
from mochi_mm.models.heads.in_batch_head import DataSamples, InBatchHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Pairs

FORMS = ('out', 'in', 'sup_con')


@MODELS.register_module()
class SupInfoNCEHead(InBatchHead):
    """Positives of the anchor's class must beat the negatives by a margin (Barbano et al. 2023).

    With e the exponentials of the logits, sums over positives p and negatives n of an anchor::

        out      mean_p -log( e_p / (e_p e^-eps + sum_n e_n) )
        in       -log( sum_p e_p / (mean_p e_p e^-eps + sum_n e_n) )
        sup_con  mean_p -log( e_p / (sum_p e_p e^-eps + sum_n e_n) )

    In ``out`` each positive competes with the negatives alone; without a margin it is SINCERE.
    ``sup_con`` without a margin is :class:`SupConHead`. The losses can be negative. An anchor
    without a positive is left out of the mean (see ``count_all``); that happens only with one view.

    Args:
        margin: eps above, >= 0.
        margin_in: ``logit`` adds it after the division by the temperature, as the authors' code
            does; ``cosine`` divides it by the temperature as well.
        form: See above.
        temperature: Divides every cosine.
        floor: Added to each denominator while its exponentials are shifted by 1 / temperature;
            1e-6 in the authors' code, where it dominates at small temperatures. 0 is the equation.
        count_all: Average over all anchors; one without a positive counts with the loss 0, as in
            the authors' code.
        weight: See :class:`InBatchHead`.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A margin or floor that is negative or not finite, or an unknown form or unit.
    """

    min_views = 1

    def __init__(
        self,
        margin: float = 0.25,
        margin_in: str = 'logit',
        form: str = 'out',
        temperature: float = 0.1,
        floor: float = 0.0,
        count_all: bool = False,
        weight: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(temperature, weight, init_cfg)
        self.count_all = count_all
        check_number('margin', margin, 0.25, zero=True)
        check_choice('margin_in', margin_in, ('logit', 'cosine'))
        check_choice('form', form, FORMS)
        self.margin = margin / temperature if margin_in == 'cosine' else margin
        self.form = form
        self.floor = check_number('floor', floor, 1e-6, zero=True)

    def positives(self, pairs: Pairs, data_samples: DataSamples) -> Tensor:
        """Return 1 for the candidates of the anchor's class."""
        return self.same_class(pairs, data_samples)

    def bias(self, pairs: Pairs, weights: Tensor) -> Tensor | None:
        """Return minus the margin for the positives; in ``in``, minus the log of their number."""
        bias = -self.margin * weights
        if self.form == 'in':
            bias = bias - self._log_count(weights)[:, None] * weights
        return bias

    def objective(self, pairs: Pairs, logits: Tensor, weights: Tensor) -> Tensor:
        """Return the losses (N,)."""
        floor = self._floor(logits)
        blocks, nothing = [logits, *floor], [None] * len(floor)
        pull = [weights, *nothing]
        if self.form == 'out':
            return contrast(blocks, pull, denominator='per_positive', positive_bias=-self.margin)
        form = 'inside' if self.form == 'in' else 'outside'
        losses = contrast(blocks, pull, [self.bias(pairs, weights), *nothing], form=form)
        # The primitive averages over the positives inside the logarithm; this equation sums.
        return losses - self._log_count(weights) if self.form == 'in' else losses

    def _floor(self, logits: Tensor) -> list[Tensor]:
        """Return a block with a candidate of a fixed logit, which adds just the floor; or none."""
        if not self.floor:
            return []
        return [logits.new_full((len(logits), 1), math.log(self.floor) + 1 / self.temperature)]

    @staticmethod
    def _log_count(weights: Tensor) -> Tensor:
        return weights.sum(1).clamp_min(1).log()
