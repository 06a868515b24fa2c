"""The FNC objective: false negatives do not push, in the batch or in a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.blocks import cancel, query_anchors, with_classes
from mochi_mm.models.blocks.cancel import STRATEGIES
from mochi_mm.models.finders import FalseNegativeFinder
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.build_part import build_part
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Mixed, Views
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.masks import either
from mochi_mm.utils.checks import check_choice


@MODELS.register_module()
class FalseNegativeHead(BaseContrastiveHead):
    """Take false negatives out of the denominator, or let them attract.

    Which candidates they are is the same for all views of an image. Without a memory, NT-Xent over
    the contrasted views. With one, the algorithm's averaged encoder must see every view: a query is
    attracted by the keys of its image's other contrasted views, the keys of the views that score
    find the false negatives, and contrasted keys enter the memory; rows that hold no key yet, or
    that a setting drops, are never found. What is found is not mixed. Source: Huynh et al.,
    Boosting Contrastive Self-Supervised Learning with False Negative Cancellation, WACV 2022.

    Args:
        finder: A :class:`FalseNegativeFinder`, as a config or a module.
        strategy: ``attract``, ``eliminate``, or ``none`` for the plain objective.
        temperature: Divides every cosine, > 0; None as in :class:`BaseContrastiveHead`.
        memory: The memory, as a config or a module; None takes the batch.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: An unknown strategy; at the first batch, too few views.

    >>> finder = dict(type='FalseNegativeFinder', num_support=1)
    >>> head = FalseNegativeHead(finder, strategy='eliminate')
    >>> features = torch.randn(4, 3, 16)  # 4 images, 2 views and a support view
    >>> losses = head.loss(features)
    >>> 'loss_contrast' in losses and 'false_negatives' in losses
    True
    """

    #: It has a finder of its own.
    not_removable = 'it looks for false negatives itself'

    def __init__(
        self,
        finder: dict | nn.Module,
        strategy: str = 'attract',
        temperature: float | None = None,
        memory: dict | nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        self.finder = build_part(finder, FalseNegativeFinder)
        self.strategy = check_choice('strategy', strategy, STRATEGIES)
        self.min_views = 2 + self.finder.num_support

    def anchors(self, views: Views) -> Anchors:
        """Return the contrasted views; with a memory, the queries with their keys of the others."""
        if self.memory is None:
            contrasted = self.finder.contrasted(list(views.online))
            online = {view: views.online[view] for view in contrasted}
            return super().anchors(Views(online, samples=views.samples))
        return query_anchors(views, self.finder.contrasted(sorted(views.target)))

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks without, or attracted by, the false negatives."""
        if self.memory is None:
            blocks = [block.attract(block.need('same_image')) for block in blocks]
        found = self.find(anchors, blocks[-1], views)
        block = with_classes(blocks[-1], anchors, self.memory, self.label_key)
        block = block.but(false_negative=found)
        return [*blocks[:-1], cancel(block, found, self.strategy)]

    def find(self, anchors: Anchors, block: Block, views: Views) -> Tensor:
        """Return (A, M) bool, candidates that are false negatives of the anchor.

        Args:
            anchors: Rows that are compared; those of an image have the same false negatives.
            block: Candidates.
            views: Unit rows; those that score are among them.
        """
        scoring = views.online if self.memory is None else views.target
        numbers = self.finder.scoring(sorted(scoring))
        support = torch.stack([scoring[view] for view in numbers], dim=1)  # (B, S, D)
        # What the loss does not see must not use up top_k; it is the same for all of an image's
        # anchors, of which one is asked.
        excluded = either(block.dropped, block.same_image)
        first = torch.arange(len(support), device=support.device) * anchors.num_views
        excluded = None if excluded is None else excluded[first]  # (B, M)
        excluded = excluded if block.held is None else either(~block.held, excluded)
        return self.finder(support, block.rows, excluded)[anchors.image]

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Add the mean number of false negatives found per anchor."""
        stats = super().statistics(blocks, mixed, counted)
        (block,) = (b for b in blocks if b.false_negative is not None)
        number = block.need('false_negative').float().sum(1).mean()
        return dict(stats, false_negatives=number)

    def writes(self, views: Views) -> tuple[Write, ...]:
        """Return the writes made after the loss: the keys of the contrasted views."""
        if self.memory is None:
            return ()
        contrasted = self.finder.contrasted(sorted(views.target))
        target = {view: views.target[view] for view in contrasted}
        return super().writes(Views(views.online, target, views.samples))

    def check_view_numbers(self, online: Sequence[int], target: Sequence[int]) -> None:
        """Refuse too few views, and queries of views whose keys are not contrasted.

        Raises:
            ValueError: Such views.
        """
        if self.memory is None:
            self.finder.contrasted(list(online))
            return
        positives = self.finder.contrasted(sorted(target))
        strangers = sorted(set(online) - set(positives))
        if strangers:
            raise ValueError(
                f'the views {strangers} are queries but their keys are not contrasted, only those '
                f'of {positives}; expected queries among these: set online_views and target_views '
                'of the algorithm, support views come last.'
            )
