"""The RenyiCL objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.distributed.rows import gather_rows_with_gradient, row_counts
from mochi_mm.models.blocks import batch_keys_block, pair_anchors
from mochi_mm.models.functional.contrast_blocks import logits_of, weights_of
from mochi_mm.models.functional.skew_renyi import skew_renyi, skew_renyi_sums
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views
from mochi_mm.utils.checks import check_choice, check_number

CANDIDATES = ('keys', 'views')


@MODELS.register_module()
class SkewRenyiHead(BaseContrastiveHead):
    """Maximize a skew Renyi divergence between positive and negative pairs (RenyiCL).

    The loss is ``-R``, R of :func:`~mochi_mm.models.functional.skew_renyi.skew_renyi`, whose means
    are taken over the pairs of the whole batch, of all ranks, not query by query; easy positives
    and hard negatives weigh most. Queries of the same set of keys share one R, and those of several
    sets are added. The loss is negative once anything is told apart; its chance level is 0. Source:
    Lee and Shin, RenyiCL, NeurIPS 2022; code kyungmnlee/RenyiCL.

    Args:
        gamma: Order of the divergence, > 0; 1 is the skew Kullback-Leibler divergence.
        alpha: Share of the positives among what is pushed, in [0, 1); 1 / 65536 in the authors'
            code. R is at most ``-log(alpha) / gamma``; 0 leaves it without a bound.
        temperature: Divides every cosine, > 0.
        candidates: What a query is compared with where there is no memory: the averaged encoder's
            ``keys`` of the batch, as the authors do, or the ``views`` of the batch, as in SimCLR.
        memory: The memory, as a config or a module; None takes the batch.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A setting out of range, a ``gamma`` too near to 1 for float32, ``views`` with a
            memory.

    >>> query = key = torch.eye(4)  # each query is its own key, and nothing else is alike
    >>> loss = SkewRenyiHead(temperature=0.5).loss(query, key)['loss_contrast']
    >>> round(float(loss), 4)  # log e^2 - log( e^4 / 65536 + 1 - 1 / 65536 ) / 2, with a minus
    -1.9996
    """

    #: The means over pairs stand in one logarithm for the whole batch.
    estimable = False
    takes = 'pairs'

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float = 1 / 65536,
        temperature: float = 0.5,
        candidates: str = 'keys',
        memory: dict | nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        self.gamma = check_number('gamma', gamma, 2.0)
        self.alpha = check_number('SkewRenyiHead alpha', alpha, 1 / 65536, zero=True)
        self.candidates = check_choice('candidates', candidates, CANDIDATES)
        if 0 < abs(gamma - 1) < 1e-3:
            raise ValueError(
                f'gamma is {gamma!r}, so near to 1 that gamma - 1 divides little but rounding; '
                'expected 1 itself, or a number at least 0.001 away, such as 2.0.'
            )
        if alpha >= 1:
            raise ValueError(
                f'alpha is {alpha!r}; expected the share of positives among what is pushed, in '
                '[0, 1), such as 1 / 65536. At 1 no negative is left.'
            )
        if candidates != 'keys' and self.memory is not None:
            raise ValueError(
                f'candidates is {candidates!r} but there is a memory, whose rows are the '
                'candidates; take one of them out.'
            )
        if candidates != 'keys':
            self.takes = 'views'

    def anchors(self, views: Views) -> Anchors:
        """Return a query for each pair of query and key, or every view."""
        return pair_anchors(views) if self.takes == 'pairs' else super().anchors(views)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the candidates: keys of the batch, views of the batch, or own keys and memory."""
        if self.memory is None and self.takes == 'pairs':
            return [batch_keys_block(anchors, views, self.similarity)]
        return super().blocks(anchors, views)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks with the other embeddings of the anchor's image as its positives."""
        if self.memory is not None:
            return blocks
        return [block.attract(block.need('same_image')) for block in blocks]

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the loss of the batch of all ranks, the same for each anchor."""
        sums = skew_renyi_sums(
            [logits_of(block, self.temperature) for block in blocks],
            [weights_of(block) for block in blocks],
            [block.push_bias for block in blocks],
            self.gamma,
        )  # (A, 5)
        sets = [j for _, j in anchors.pairs] or [0]
        # Pairs of views side by side, so that the rows of the ranks follow one another: (n, P, 5).
        rows = sums.unflatten(0, (len(sets), -1)).transpose(0, 1)
        rows = gather_rows_with_gradient(rows, row_counts(len(rows)))
        by_pair = list(zip(sets, rows.unbind(1), strict=True))
        bounds = [
            skew_renyi(torch.cat([part for s, part in by_pair if s == j]), self.gamma, self.alpha)
            for j in dict.fromkeys(sets)
        ]
        return -torch.stack(bounds).sum().expand(len(anchors.rows))

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) zeros: equal similarities have no divergence, whatever is masked or mixed."""
        return anchors.rows.new_zeros(len(anchors.rows))
