"""InterCLR: MoCo's objective, and contrast with images of the anchor's cluster and of others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.distributed.rows import mean_over_ranks
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.functional.found_statistics import found_statistics
from mochi_mm.models.functional.inter_draw import (
    SAMPLERS,
    draw_negatives,
    draw_positive,
    draw_scores,
)
from mochi_mm.models.heads.build_part import build_part
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.heads.key_writes import key_writes
from mochi_mm.models.memories import ClusterBank
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataSamples, HeadStep, Views
from mochi_mm.utils.checks import check_choice, check_integer, check_open_share, check_start


@MODELS.register_module()
class InterClusterHead(ContrastiveHead):
    """``(1 - w) * intra + w * inter``: the image against the queue, its cluster against others.

    ``intra`` is :class:`ContrastiveHead`, mixing included. ``inter`` is InfoNCE of a query with one
    drawn row of its image's cluster, another image's, as the positive, and drawn rows of other
    clusters as negatives; rows of the bank are constants. The cosine with the positive is
    ``cos - margin`` there: **a margin below 0 adds to it**, an easier target. A query alone in its
    cluster, or without one, is left out of ``inter``. Draws are masked, so none is repeated, and
    keyed by the data set index. Source: Xie et al. (InterCLR), IJCV 2022, by its code in mmselfsup
    0.x; there a query may draw itself.

    Args:
        memory: The queue, as a config or a module.
        bank: A :class:`ClusterBank`, as a config or a module.
        inter_weight: w, in (0, 1).
        margin: Taken off the cosine with the positive of ``inter``.
        sampler: Which rows of other clusters: see
            :func:`~mochi_mm.models.functional.inter_draw.draw_negatives`; ``semi_easy`` is our
            reading.
        num_negatives: N, rows drawn; fewer where the bank has no more.
        pool: Rows that ``semi_hard`` and ``semi_easy`` draw from, likewise.
        start_epoch: First epoch, counted from 0, with ``inter``; before it w is 0.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A setting out of range, or a bank of another width than the queue.

    >>> from mochi_mm.models.memories import ClusterBank
    >>> bank = ClusterBank(length=8, num_clusters=2, dim=16)
    >>> head = InterClusterHead(dict(type='FeatureQueue', length=64, dim=16), bank)
    >>> query, key = torch.randn(2, 4, 16)
    >>> losses = head.loss(query, key, dict(sample_idx=torch.arange(4)))
    >>> float(losses['loss_inter'])  # there are no clusters yet
    0.0
    """

    def __init__(
        self,
        memory: dict | nn.Module,
        bank: dict | nn.Module,
        inter_weight: float = 0.25,
        margin: float = -0.5,
        sampler: str = 'semi_hard',
        num_negatives: int = 16384,
        pool: int = 128000,
        start_epoch: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, **kwargs)
        self.bank = build_part(bank, ClusterBank)
        self.inter_weight = check_open_share('inter_weight', inter_weight, 0.25)
        if not -2 <= margin <= 2:
            raise ValueError(
                f'margin is {margin!r}; expected a difference of cosines in [-2, 2], such as -0.5.'
            )
        self.margin, self.sampler = margin, check_choice('sampler', sampler, SAMPLERS)
        self.num_negatives = check_integer('num_negatives', num_negatives, 16384)
        self.pool = check_integer('pool', pool, 128000)
        self.start_epoch = check_integer('start_epoch', start_epoch, 1, least=0)
        if self.memory is not None and self.memory.dim != self.bank.dim:
            raise ValueError(
                f'the bank holds rows of width {self.bank.dim} and the queue keys of width '
                f'{self.memory.dim}; expected one width: set dim of the bank.'
            )
        self.epoch = 0
        self.step_key: StepKey | None = None

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        super().set_step(step_key)
        self.step_key = step_key

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each.

        Raises:
            ValueError: ``start_epoch`` lies beyond the run.
        """
        super().set_epoch(epoch, max_epochs)
        nothing, fix = 'clusters would never be used', 'lower start_epoch'
        check_start('InterClusterHead', self.start_epoch, max_epochs, nothing, fix)
        self.epoch = epoch

    def compute(self, views: Views) -> HeadStep:
        """Return both losses, statistics and pending writes; the head stays as it is."""
        intra = super().compute(views)
        keys = self.normalize(views)
        writes = (*intra.writes, *key_writes(self.bank, keys, self.label_key))
        statistics = {**intra.statistics, **self._relabeled(keys)}
        if self.epoch < self.start_epoch or intra.anchors is None:
            return HeadStep(
                intra.losses, statistics, writes, intra.anchors, intra.blocks, intra.mixed
            )
        device = intra.anchors.rows.device
        with torch.autocast(device.type, enabled=False):
            inter, more = self.inter(intra.anchors)
        rest = 1 - self.inter_weight
        losses = {name: rest * loss for name, loss in intra.losses.items()}
        losses['loss_inter'] = self.weight * self.inter_weight * inter
        statistics = {**statistics, **more, 'chance_level': rest * statistics['chance_level']}
        return HeadStep(losses, statistics, writes, intra.anchors, intra.blocks, intra.mixed)

    def inter(self, anchors: Anchors) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean contrast of queries with their clusters, a scalar, and statistics."""
        indices = anchors.samples['sample_idx']  # (A,)
        bank, labels = self.bank.snapshot(), self.bank.labels  # (n, D), (n,)
        similarity = self.similarity(anchors.rows, bank)  # (A, n)
        mine = labels[indices][:, None]  # (A, 1)
        itself = self.bank.own_keys(indices)  # (A, n)
        known = (mine >= 0) & (labels >= 0)[None]  # (A, n)
        member, other = known & (mine == labels) & ~itself, known & (mine != labels)
        score = draw_scores(indices, len(bank), self._generator(bank.device), bank.device)
        row, counted = draw_positive(score, member)  # (A,) each
        rows, usable = draw_negatives(
            similarity.detach(), score, other, self.num_negatives, self.pool, self.sampler
        )  # (A, N) each
        blocks = [
            Block('own', similarity.gather(1, row[:, None]) - self.margin, pull=1.0),
            Block('negatives', similarity.gather(1, rows), dropped=~usable),
        ]
        losses = contrast_blocks(blocks, self.temperature)  # (A,)
        with torch.no_grad():
            found = Block('bank', similarity, false_negative=member, itself=itself)
            if self.label_key in anchors.samples:
                classes = (anchors.samples[self.label_key], self.bank.classes)
                found = found.but(classes=classes)
            share = counted.float().mean()
            statistics = dict(found_statistics(found), share_counted=share)
        return mean_over_ranks(losses, counted), statistics

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch with an image that the bank has no row for.

        Raises:
            ValueError: No ``sample_idx``, or one outside the bank.
        """
        super().check_samples(samples)
        self.bank.check_samples(samples)

    @torch.no_grad()
    def _relabeled(self, views: Views) -> dict[str, Tensor]:
        """Return the share of images that the coming write puts into another cluster."""
        indices = views.samples['sample_idx']
        labels = [
            self.bank.assign(self.bank.moved(keys, indices)) for keys in views.target.values()
        ]
        changed = (labels[-1] != self.bank.labels[indices]).float().mean()
        return dict(share_relabeled=changed)

    @torch.compiler.disable  # the key changes every step, and a compiler would specialize on it
    def _generator(self, device: torch.device) -> torch.Generator | None:
        """Return the generator of the step that all ranks share, None if no step was named."""
        key = self.step_key
        return None if key is None else key.generator('bank draws', device, per_rank=False)
