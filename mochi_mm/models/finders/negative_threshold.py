"""Negatives above a learned threshold of each image are left out (GloFND)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.models.blocks.with_classes import of_images
from mochi_mm.models.functional.quantile_threshold import threshold_step
from mochi_mm.models.memories import SampleTable
from mochi_mm.models.memories.pseudo_labels import bind
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.masks import either
from mochi_mm.utils.checks import check_integer, check_number, check_open_share, check_start

#: Candidates that are embeddings of other images.
SCREENED = ('batch', 'batch_keys', 'memory')
COLUMNS = ('threshold', 'first_moment', 'second_moment')


@MODELS.register_module()
class NegativeThreshold(BaseModule):
    """Learn for each image which cosine its ``alpha`` most similar negatives exceed; drop these.

    ``threshold=NegativeThreshold(...)`` of a contrastive head, in the batch or with a memory. The
    threshold is a row of a table, so it follows the data set, not the batch: each time its image
    comes, it takes one step towards the (1 - alpha) quantile of the cosines with the negatives of
    all of its views. What lies above its new value is neither pushed from nor mixed. It starts at
    1, above which nothing lies. No gradient flows through it. Source: Balmaseda et al. (GloFND),
    ICML 2025, and its code (vibalcam/GloFND); the "dynamic" loss there, SogCLR's, is not here.

    Args:
        length: n, images of the data set.
        alpha: Share of the negatives that are left out in the end, in (0, 1).
        lr: Learning rate of the thresholds, > 0: their step in cosine, whatever ``alpha`` is.
        start_epoch: First epoch, counted from 0, that leaves negatives out.
        update_epoch: First epoch that moves thresholds; None for ``start_epoch``.
        rescale: Let the negatives that are kept weigh as much as all of them did, in the
            denominator.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A setting out of range, an ``update_epoch`` behind ``start_epoch``; at the start
            of a run, another number of images, thresholds of other images, or a start beyond its
            end.

    >>> from mochi_mm.models.heads import NTXentHead
    >>> head = NTXentHead(threshold=NegativeThreshold(length=8, alpha=0.25, lr=0.5))
    >>> features = torch.randn(8, 2, 16, generator=torch.Generator().manual_seed(0))
    >>> for step in range(2):
    ...     losses = head.loss(features, dict(sample_idx=torch.arange(8)))
    >>> bool(losses['share_found'] > 0), bool((head.threshold.table.threshold < 1).all())
    (True, True)
    """

    origin: Tensor

    def __init__(
        self,
        length: int,
        alpha: float = 0.01,
        lr: float = 0.05,
        start_epoch: int = 0,
        update_epoch: int | None = None,
        rescale: bool = True,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.table = SampleTable(length, COLUMNS)
        self.register_buffer('origin', torch.full((), -1, dtype=torch.int64))
        self.alpha = check_open_share('alpha', alpha, 0.01)
        self.lr = check_number('lr', lr, 0.05)
        self.start_epoch = check_integer('start_epoch', start_epoch, 70, least=0)
        self.update_epoch = start_epoch if update_epoch is None else update_epoch
        check_integer('update_epoch', self.update_epoch, 70, least=0)
        if self.update_epoch > start_epoch:
            raise ValueError(
                f'update_epoch is {update_epoch} but start_epoch is {start_epoch}, when no '
                'threshold has moved yet; expected update_epoch <= start_epoch.'
            )
        self.rescale = rescale
        self.epoch = 0

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'alpha={self.alpha}, lr={self.lr}, start_epoch={self.start_epoch}'

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each.

        Raises:
            ValueError: ``start_epoch`` lies beyond the run.
        """
        nothing, fix = 'nothing would ever be left out', 'lower start_epoch'
        check_start('NegativeThreshold', self.start_epoch, max_epochs, nothing, fix)
        self.epoch = epoch

    @torch.no_grad()
    def bind(self, origin: int) -> None:
        """Note which data set the thresholds are of; called before the first iteration.

        Raises:
            ValueError: They are of another one.
        """
        bind(self.origin, origin, 'thresholds')

    @property
    def learns(self) -> bool:
        """Return whether thresholds move in the current epoch."""
        return self.epoch >= self.update_epoch

    @property
    def active(self) -> bool:
        """Return whether negatives are left out in the current epoch."""
        return self.epoch >= self.start_epoch

    def forward(
        self, anchors: Anchors, blocks: Sequence[Block]
    ) -> tuple[list[Block], tuple[Write, ...]]:
        """Return the blocks without what lies above the thresholds, and the pending write.

        Args:
            anchors: Rows of images, with ``sample_idx``.
            blocks: Candidates, with their positives marked.

        Raises:
            ValueError: Anchors that are not rows of images.
        """
        if not self.learns:
            return list(blocks), ()
        if 'sample_idx' not in anchors.samples:
            raise ValueError(
                'NegativeThreshold keeps a threshold for each image, and this head has anchors '
                'that are none; take threshold out, or choose a head without prototypes.'
            )
        ids = of_images(anchors.samples['sample_idx'], anchors)  # (B,)
        screened = {i: b.negative() for i, b in enumerate(blocks) if b.name in SCREENED}
        threshold, write = self._moved(anchors, blocks, screened, ids)
        if not self.active:
            return list(blocks), (write,)
        bound = threshold[anchors.image][:, None]  # (A, 1)
        return [
            self._without(block, screened[i], block.similarity.detach() > bound)
            if i in screened
            else block
            for i, block in enumerate(blocks)
        ], (write,)

    @torch.no_grad()
    def _moved(
        self, anchors: Anchors, blocks: Sequence[Block], screened: dict[int, Tensor], ids: Tensor
    ) -> tuple[Tensor, Write]:
        """Return the thresholds (B,) after their step, and what writes them."""
        old = [self.table.look_up(column, ids) for column in COLUMNS]  # (B,) each
        bound = old[0][anchors.image][:, None]  # (A, 1)
        above = old[0].new_zeros(anchors.num_images)  # (B,)
        total = old[0].new_zeros(anchors.num_images)  # (B,)
        for number, negative in screened.items():
            exceeds = negative & (blocks[number].similarity.detach() > bound)  # (A, M)
            above.index_add_(0, anchors.image, exceeds.sum(1).to(above))
            total.index_add_(0, anchors.image, negative.sum(1).to(total))
        gradient = self.alpha - above / total.clamp_min(1)  # (B,)
        new = threshold_step(old[0], old[1], old[2], gradient, self.epoch, self.lr)
        # An image without a negative learns nothing.
        kept = [torch.where(total > 0, now, before) for now, before in zip(new, old, strict=True)]
        columns = dict(zip(COLUMNS, kept, strict=True))
        return kept[0], partial(self.table.write, ids, **columns)

    def _without(self, block: Block, negative: Tensor, above: Tensor) -> Block:
        """Return the block without negatives (A, M) above their threshold."""
        found = negative & above
        marked = either(block.false_negative, found)
        thinned = block.drop(found).but(false_negative=marked)
        if not self.rescale:
            return thinned
        kept = negative & ~found
        total, left = negative.sum(1, keepdim=True), kept.sum(1, keepdim=True)  # (A, 1)
        scale = (total.clamp_min(1) / left.clamp_min(1)).log().to(block.similarity.dtype)
        bias = torch.where(kept, scale, torch.zeros_like(scale))  # (A, M)
        return thinned.but(push_bias=bias if block.push_bias is None else block.push_bias + bias)
