"""The part of a head that debiases and reweights its negatives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.models.functional.contrast import log_sum_exp, sum_weights
from mochi_mm.models.functional.contrast_blocks import logits_of, weights_of
from mochi_mm.models.functional.negative_estimate import negative_estimate
from mochi_mm.registry import MODELS
from mochi_mm.structures import Block
from mochi_mm.structures.masks import either
from mochi_mm.utils.checks import check_choice, check_number

ANNEALS = ('linear', 'stairs')


@MODELS.register_module()
class NegativeEstimator(BaseModule):
    """Put an estimate of the true negatives in the place of the sum over all of them.

    ``negatives=NegativeEstimator(...)`` of a contrastive head, in the batch or with a memory. What
    does not pull an anchor counts as a negative, synthetic ones included; the positives stay as
    they are, and their mean is what a false negative is taken to look like. ``beta=0`` is debiased
    contrastive learning (Chuang et al., NeurIPS 2020), ``beta>0`` hard negatives by reweighting
    (Robinson et al., HCL, ICLR 2021); ``beta=0, tau_plus=0`` leaves the objective as it is.
    Equation: :func:`~mochi_mm.models.functional.negative_estimate.negative_estimate`.

    Args:
        beta: Weight ``e^(beta l)`` of a negative with the logit l, >= 0.
        tau_plus: Probability that a negative is of the anchor's class, in [0, 1); 1 / C for C
            classes of equal size.
        anneal: How ``beta`` falls over the epochs: ``linear`` towards 0; ``stairs``, in eight steps
            after the first two ninths of the run, as in the code of HCL; None keeps it.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A setting out of range, or nothing to anneal.

    >>> from mochi_mm.models.heads import NTXentHead
    >>> features = torch.randn(8, 2, 16, generator=torch.Generator().manual_seed(0))
    >>> head = NTXentHead(temperature=0.5, negatives=NegativeEstimator(beta=1.0, tau_plus=0.1))
    >>> losses = head.loss(features)
    >>> bool(losses['loss_contrast'] > NTXentHead(temperature=0.5).loss(features)['loss_contrast'])
    True
    >>> float(losses['share_clamped'])
    0.0
    """

    def __init__(
        self,
        beta: float = 1.0,
        tau_plus: float = 0.1,
        anneal: str | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.beta = check_number('beta', beta, 1.0, zero=True)
        self.tau_plus = check_number('tau_plus', tau_plus, 0.1, zero=True)
        if tau_plus >= 1:
            raise ValueError(
                f'tau_plus is {tau_plus!r}; expected the probability that a negative is of the '
                "anchor's class, in [0, 1), such as 0.1 for ten classes of equal size."
            )
        if anneal is not None:
            check_choice('anneal', anneal, ANNEALS)
            if beta == 0:
                raise ValueError(
                    f'anneal is {anneal!r} but beta is 0, so there is nothing to anneal; set beta '
                    'above 0, or anneal=None.'
                )
        self.anneal = anneal
        #: beta of the current epoch.
        self.current_beta = self.beta

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'beta={self.beta}, tau_plus={self.tau_plus}, anneal={self.anneal!r}'

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each."""
        if self.anneal == 'linear':
            self.current_beta = self.beta * (1 - epoch / max_epochs)
        if self.anneal == 'stairs':
            step = max(0, min(8, 9 * epoch // max_epochs) - 1)
            self.current_beta = self.beta * (1 - step / 8)

    def forward(
        self, blocks: Sequence[Block], temperature: float, least: float = -1.0
    ) -> tuple[list[Block], dict[str, Tensor]]:
        """Return the blocks as an objective shall see them, and statistics.

        Args:
            blocks: Candidates of A anchors, with their positives marked.
            temperature: Divides the similarity of each block that has none of its own.
            least: The least similarity that there can be.

        Returns:
            The blocks that pull, their negatives dropped, and last the block ``negatives`` of one
            candidate (A, 1), the logarithm of the estimate.
        """
        logits = [logits_of(block, temperature) for block in blocks]
        weights = [weights_of(block) for block in blocks]
        total = sum_weights(logits, weights)  # (A,)
        positives, shares = [], []
        for block, weight, logit in zip(blocks, weights, logits, strict=True):
            if weight is not None:
                positives.append(block.but(dropped=either(block.dropped, weight <= 0)))
                kept = weight.detach().log() + logit  # (A, M), -inf for what does not pull
                shares.append(kept - total.masked_fill(total == 0, 1.0).log()[:, None])
        negatives = [
            (block, logit if weight is None else logit.masked_fill(weight > 0, -torch.inf))
            for block, weight, logit in zip(blocks, weights, logits, strict=True)
            if not isinstance(block.pull, (int, float))
        ]
        value, clamped = negative_estimate(
            [logit for _, logit in negatives],
            [block.push_bias for block, _ in negatives],
            [least / (block.temperature or temperature) for block, _ in negatives],
            log_sum_exp(shares),
            self.current_beta,
            self.tau_plus,
        )
        estimate = Block('negatives', value[:, None], temperature=1.0)
        return [*positives, estimate], self._statistics(clamped, total)

    @torch.no_grad()
    def _statistics(self, clamped: Tensor, total: Tensor) -> dict[str, Tensor]:
        """Return the share of anchors with a positive that are clamped, and an annealed beta."""
        stats = dict(share_clamped=clamped.sum() / (total != 0).sum().clamp_min(1))
        if self.anneal is not None:
            stats['beta'] = total.new_full((), self.current_beta)
        return stats
