"""Supervised contrastive learning."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.models.functional.contrast import contrast
from mochi_mm.models.heads.checks import check_number
from mochi_mm.models.heads.in_batch_head import DataSamples, InBatchHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Pairs

FORMS = dict(out='outside', **{'in': 'inside'})
DENOMINATORS = ('all', 'one_positive', 'negatives')


@MODELS.register_module()
class SupConHead(InBatchHead):
    """All views of all images of the anchor's class attract it (Khosla et al. 2020, SupCon).

    ``L_out`` (eq. 2) takes the mean over the positives outside the logarithm, ``L_in`` (eq. 3)
    inside. An anchor without a positive is left out of the mean (see ``count_all``); that happens
    only with one view. One without a negative, with the denominator ``negatives``, has the loss 0.

    Args:
        form: ``out`` or ``in``.
        denominator: What the denominator holds: ``all`` candidates but the anchor (the paper);
            the negatives and the ``one_positive`` of the term; the ``negatives`` alone.
        temperature: Divides every cosine.
        base_temperature: The loss is multiplied by ``temperature / base_temperature``; None leaves
            it as it is. 1.0 gives the paper's rescaling by the temperature, 0.07 that of the
            authors' PyTorch code, whatever the temperature.
        count_all: Average over all anchors; one without a positive counts with the loss 0, as in
            the authors' code.
        weight: See :class:`InBatchHead`.
        init_cfg: See MMEngine.

    Raises:
        ValueError: An unknown form or denominator; ``in`` with ``one_positive``, as its one
            logarithm has no terms; a ``base_temperature`` that is not above 0.
    """

    min_views = 1

    def __init__(
        self,
        form: str = 'out',
        denominator: str = 'all',
        temperature: float = 0.1,
        base_temperature: float | None = None,
        count_all: bool = False,
        weight: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(temperature, weight, init_cfg)
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
        self.form, self.denominator = form, denominator
        self.scale = 1.0 if base_temperature is None else temperature / base_temperature

    def positives(self, pairs: Pairs, data_samples: DataSamples) -> Tensor:
        """Return 1 for the candidates of the anchor's class."""
        return self.same_class(pairs, data_samples)

    def bias(self, pairs: Pairs, weights: Tensor) -> Tensor | None:
        """Return -inf for the positives where the denominator holds negatives alone."""
        if self.denominator != 'negatives':
            return None
        return torch.zeros_like(weights).masked_fill(weights > 0, -torch.inf)

    def objective(self, pairs: Pairs, logits: Tensor, weights: Tensor) -> Tensor:
        """Return the losses (N,), scaled."""
        denominator = 'per_positive' if self.denominator == 'one_positive' else 'shared'
        losses = contrast(
            [logits],
            [weights],
            [self.bias(pairs, weights)],
            denominator=denominator,
            form=FORMS[self.form],
        )
        return losses * self.scale
