"""Epsilon-SupInfoNCE: supervised, with a margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mochi_mm.models.blocks import same_label
from mochi_mm.models.functional.chance_level import chance_level, chance_of_each
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views
from mochi_mm.utils.checks import check_choice, check_number

FORMS = ('out', 'in', 'sup_con')


@MODELS.register_module()
class SupInfoNCEHead(BaseContrastiveHead):
    """Separate the positives of a class from the negatives by a margin (Barbano et al. 2023).

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
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A margin or floor that is negative or not finite, or an unknown form or unit.

    >>> features = torch.ones(4, 2, 16)  # 4 images, 2 views, all alike
    >>> labels = dict(gt_label=torch.tensor([0, 0, 1, 1]))
    >>> loss = SupInfoNCEHead(margin=0.25).loss(features, labels)['loss_contrast']
    >>> round(float(loss), 4)  # log(e^-0.25 + 4), one positive against four negatives
    1.5642
    """

    with_memory = False
    min_views = 1
    needs_labels = True

    def __init__(
        self,
        margin: float = 0.25,
        margin_in: str = 'logit',
        form: str = 'out',
        temperature: float = 0.1,
        floor: float = 0.0,
        count_all: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature=temperature, **kwargs)
        self.count_all = count_all
        check_number('margin', margin, 0.25, zero=True)
        check_choice('margin_in', margin_in, ('logit', 'cosine'))
        check_choice('form', form, FORMS)
        self.margin = margin / temperature if margin_in == 'cosine' else margin
        self.form = form
        self.floor = check_number('floor', floor, 1e-6, zero=True)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the batch, with the anchor's class attracting and its margin as a bias."""
        (block,) = blocks
        block = block.attract(same_label(self.labels(anchors.samples), block))
        if self.form == 'out':  # the margin stands in the denominator of each positive
            return [block]
        weights = block.need('pull')  # (A, M), 0 or 1
        bias = -self.margin * weights
        if self.form == 'in':
            bias = bias - _log_count(weights)[:, None] * weights
        return [block.but(push_bias=bias)]

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor."""
        blocks = [*blocks, *self._floor(blocks[0])]
        if self.form == 'out':
            return contrast_blocks(
                blocks, self.temperature, denominator='per_positive', positive_bias=-self.margin
            )
        form = 'inside' if self.form == 'in' else 'outside'
        losses = contrast_blocks(blocks, self.temperature, form=form)
        # The primitive averages over the positives inside the logarithm; this equation sums.
        return losses - _log_count(blocks[0].need('pull')) if self.form == 'in' else losses

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the value of :meth:`objective` where all embeddings are the same."""
        if self.form == 'out':
            total = chance_of_each(blocks, -self.margin).exp()
        else:
            total = chance_level(blocks).exp()
        level = (total + self.floor).log()
        return level - _log_count(blocks[0].need('pull')) if self.form == 'in' else level

    def _floor(self, block: Block) -> list[Block]:
        """Return a block with one candidate, which adds just the floor; or none."""
        if not self.floor:
            return []
        logit = math.log(self.floor) + 1 / self.temperature
        similarity = block.similarity.new_full((len(block.similarity), 1), logit)
        return [Block('floor', similarity, temperature=1.0)]


def _log_count(weights: Tensor) -> Tensor:
    """Return (A,) the logarithm of the number of positives of each anchor."""
    return weights.sum(1).clamp_min(1).log()
