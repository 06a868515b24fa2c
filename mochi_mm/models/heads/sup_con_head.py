"""Supervised contrastive learning, in the batch or with a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.blocks import same_label
from mochi_mm.models.functional.chance_level import chance_of_each
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views
from mochi_mm.utils.checks import check_number

FORMS = dict(out='outside', **{'in': 'inside'})
DENOMINATORS = ('all', 'one_positive', 'negatives')


@MODELS.register_module()
class SupConHead(BaseContrastiveHead):
    """Attract each anchor to all views of all images of its class (Khosla et al. 2020, SupCon).

    ``L_out`` (eq. 2) takes the mean over the positives outside the logarithm, ``L_in`` (eq. 3)
    inside. With a memory, the own key and the rows of the class attract: with ``L_out`` the own key
    as much as any row, with ``L_in`` what is near most, which at first is the own key. What
    attracts is never mixed. An anchor without a positive is left out of the mean (see
    ``count_all``); that happens only with one view. One without a negative, with the denominator
    ``negatives``, has the loss 0.

    Args:
        form: ``out`` or ``in``.
        denominator: Content of the denominator: ``all`` candidates but the anchor (the paper);
            the negatives and the ``one_positive`` of the term; the ``negatives`` alone.
        temperature: Divides every cosine; None as in :class:`BaseContrastiveHead`.
        base_temperature: The loss is multiplied by ``temperature / base_temperature``; None leaves
            it as it is. 1.0 gives the paper's rescaling by the temperature, 0.07 that of the
            authors' PyTorch code, whatever the temperature.
        count_all: Average over all anchors; one without a positive counts with the loss 0, as in
            the authors' code.
        memory: The memory, as a config or a module; None takes the batch.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: An unknown form or denominator; ``in`` with ``one_positive``, as its one
            logarithm has no terms; a ``base_temperature`` that is not above 0; ``oracle_loss``,
            which would drop what attracts.

    >>> features = torch.ones(4, 2, 16)  # 4 images, 2 views, all alike
    >>> labels = dict(gt_label=torch.tensor([0, 0, 1, 1]))
    >>> round(float(SupConHead().loss(features, labels)['loss_contrast']), 4)  # log 7
    1.9459
    >>> head = SupConHead(memory=dict(type='FeatureQueue', length=64, dim=16))
    >>> losses = head.loss(features[:, 0], features[:, 1], labels)  # queries, keys
    >>> head.memory.labels[:5].tolist()
    [0, 0, 1, 1, -1]
    """

    min_views = 1
    needs_labels = True

    def __init__(
        self,
        form: str = 'out',
        denominator: str = 'all',
        temperature: float | None = None,
        base_temperature: float | None = None,
        count_all: bool = False,
        memory: dict | nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        self.count_all = count_all
        if form not in FORMS or denominator not in DENOMINATORS:
            raise ValueError(
                f'form is {form!r} and denominator is {denominator!r}; expected one of '
                f'{", ".join(FORMS)} and one of {", ".join(DENOMINATORS)}.'
            )
        if form == 'in' and denominator == 'one_positive':
            raise ValueError(
                "form='in' has one logarithm for all positives, so no term has one of its own; "
                "use denominator='all' or 'negatives', or form='out'."
            )
        if base_temperature is not None:
            check_number('base_temperature', base_temperature, 0.07)
        if self.oracle_loss:
            raise ValueError(
                'oracle_loss=True drops the rows of the class, which are what attracts here; take '
                'it out, or use ContrastiveHead.'
            )
        self.form, self.denominator = form, denominator
        self.scale = 1.0 if base_temperature is None else self.temperature / base_temperature

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks with the candidates of each anchor's class as its positives."""
        labels = self.labels(anchors.samples)
        # The own keys attract already.
        return [
            self._without_positives(
                block if block.labels is None else block.attract(same_label(labels, block))
            )
            for block in blocks
        ]

    def _without_positives(self, block: Block) -> Block:
        """Return the block with positives out of the denominator where negatives stand alone."""
        positive = block.positive()
        if self.denominator != 'negatives' or positive is None:
            return block
        bias = torch.zeros_like(block.similarity).masked_fill(positive, -torch.inf)
        return block.but(push_bias=bias)

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor, scaled."""
        denominator = 'per_positive' if self.denominator == 'one_positive' else 'shared'
        losses = contrast_blocks(
            blocks, self.temperature, denominator=denominator, form=FORMS[self.form]
        )
        return losses * self.scale

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the value of :meth:`objective` where all similarities are equal."""
        if self.denominator == 'one_positive':
            return self.scale * chance_of_each(blocks)
        return self.scale * super().chance_level(anchors, blocks)
