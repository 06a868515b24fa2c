"""PaCo and GPaCo: a supervised contrast whose candidates hold a learnable center of each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.distributed.rows import gather_rows
from mochi_mm.models.blocks import (
    batch_block,
    batch_keys_block,
    image_anchors,
    pair_anchors,
    same_label,
)
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.functional.statistics import mixing_statistics
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead, mean_positive
from mochi_mm.models.heads.class_counts import ClassCounts
from mochi_mm.models.memories import BaseMemory
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataSamples, Mixed, Views
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.known import require_class
from mochi_mm.utils.checks import check_choice, check_integer, check_number

ANCHOR_VIEWS = ('query', 'both')


@MODELS.register_module()
class ParametricContrastHead(BaseContrastiveHead):
    """Attract each anchor to the center of its class, and ``alpha`` as much to its samples.

    The logit of a center is that of a linear classifier on the pooled features, plus the logarithm
    of the class's share of the images, and is not divided by the temperature; those of the samples
    (batch, keys, queue) are cosines over the temperature. With P samples of its class among them,
    an anchor gives its center ``beta / (beta + alpha P)`` of its weight. The classifier predicts
    without the prior.

    PaCo (``query``, algorithm :class:`MoCo`) has the queries as anchors and the keys of an averaged
    encoder beside them; GPaCo (``both``, :class:`InBatchContrast`) has one encoder, anchors of both
    views, and may smooth the labels of the centers. The last view enters the queue. ``alpha=0`` and
    ``gamma=0`` leave balanced softmax. Sources: Cui et al., Parametric Contrastive Learning, ICCV
    2021, and Generalized Parametric Contrastive Learning, TPAMI 2023; their released code.

    Args:
        memory: The queue of keys with their labels, as a config or a module.
        num_classes: C, number of centers.
        in_channels: Width of the pooled features.
        class_counts: ``data`` takes the images of each class from the training set; C numbers
            stand in their place; None leaves the prior out, for balanced data.
        alpha: Weight of each sample of the anchor's class, >= 0.
        beta: Weight of the center, > 0.
        gamma: Factor on the samples in the denominator, >= 0.
        label_smoothing: Share of the center's weight that the other centers get, in [0, 1).
        anchor_views: ``query`` (PaCo) or ``both`` (GPaCo).
        temperature: Divides every cosine, > 0.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A setting out of range, ``oracle_loss``, which drops what attracts; at the start
            of a run, more or fewer centers than classes, or a class without an image.

    >>> queue = dict(type='FeatureQueue', length=64, dim=16)
    >>> head = ParametricContrastHead(queue, 3, 8, class_counts=[90, 9, 1], anchor_views='both')
    >>> views, features = ({v: torch.randn(4, width) for v in (0, 1)} for width in (16, 8))
    >>> samples = dict(gt_label=torch.tensor([0, 0, 1, 2]))
    >>> losses = head.loss_views(views, {}, samples, features)
    >>> head.memory.labels[:5].tolist(), head.predict(features[0]).shape
    ([0, 0, 1, 2, -1], torch.Size([4, 3]))
    """

    with_memory = True
    needs_labels = True
    uses_features = True

    memory: BaseMemory

    def __init__(
        self,
        memory: dict | nn.Module,
        num_classes: int,
        in_channels: int,
        class_counts: str | Sequence[int] | None = 'data',
        alpha: float = 0.05,
        beta: float = 1.0,
        gamma: float = 1.0,
        label_smoothing: float = 0.0,
        anchor_views: str = 'query',
        temperature: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        self.num_classes = check_integer('num_classes', num_classes, 100)
        self.in_channels = check_integer('in_channels', in_channels, 2048)
        self.alpha = check_number('ParametricContrastHead alpha', alpha, 0.05, zero=True)
        self.beta = check_number('beta', beta, 1.0)
        self.gamma = check_number('gamma', gamma, 1.0, zero=True)
        self.anchor_views = check_choice('anchor_views', anchor_views, ANCHOR_VIEWS)
        self.label_smoothing = check_number('label_smoothing', label_smoothing, 0.1, zero=True)
        self._check_settings()
        if anchor_views == 'both':
            self.takes, self.max_views = 'views', 2
        self.fc = nn.Linear(in_channels, num_classes)
        self.class_counts = ClassCounts(num_classes, class_counts, type(self).__name__)

    def logits(self, features: Tensor) -> Tensor:
        """Return (A, C) float32 logits of the centers for pooled features (A, in_channels)."""
        return F.linear(features.float(), self.fc.weight.float(), self.fc.bias.float())

    def predict(self, features: Tensor) -> Tensor:
        """Return (B, C) probabilities of pooled features (B, in_channels), without the prior."""
        with torch.autocast(features.device.type, enabled=False):
            return self.logits(features).softmax(dim=1)

    def anchors(self, views: Views) -> Anchors:
        """Return the queries, or both views of each image."""
        return image_anchors(views) if self.anchor_views == 'both' else pair_anchors(views)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the centers, the anchors of all ranks, their keys, and the rows that hold keys."""
        labels = self.labels(anchors.samples)
        memory = self.memory_block(anchors, self.memory)
        blocks = [
            self.centers(anchors, views),
            batch_block(anchors, self.similarity, labels),
            memory.drop(~memory.need('held').expand_as(memory.similarity)),
        ]
        if self.anchor_views == 'query':
            keys = batch_keys_block(anchors, views, self.similarity)
            blocks.insert(2, keys.but(labels=gather_rows(labels)))
        return blocks

    def centers(self, anchors: Anchors, views: Views) -> Block:
        """Return the block of the C centers, whose logits hold the logarithm of the prior."""
        # (A, in_channels), in the order of the anchors
        features = torch.stack([views.features[view] for view in views.online], dim=1).flatten(0, 1)
        logits = self.logits(features) + self.class_counts.log_prior()  # (A, C)
        labels = self.labels(anchors.samples)  # (A,)
        # (A, C)
        right = labels[:, None] == torch.arange(self.num_classes, device=logits.device)
        others = self.label_smoothing / max(1, self.num_classes - 1)
        target = torch.where(right, 1 - self.label_smoothing, others)
        # A label that a table does not know yet has no center, and none is smoothed.
        target = target * (labels >= 0)[:, None]
        return Block('centers', logits, pull=self.beta * target, temperature=1.0)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks with ``alpha`` on the samples of the anchor's class."""
        labels = self.labels(anchors.samples)
        centers, *samples = blocks
        attracting = [block.attract(same_label(labels, block)) for block in samples]
        return [centers, *(b.but(pull=self.alpha * b.need('pull')) for b in attracting)]

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor, the samples times ``gamma`` in the denominator."""
        centers, *samples = blocks
        if self.gamma != 1:
            log_gamma = math.log(self.gamma) if self.gamma else -math.inf
            bias = centers.similarity.new_full((), log_gamma)
            samples = [block.but(push_bias=bias) for block in samples]
        return contrast_blocks([centers, *samples], self.temperature)

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the objective where all cosines and all logits of the classifier are 0."""
        centers, *samples = blocks
        prior = self.class_counts.log_prior().expand_as(centers.similarity)
        equal = [b.but(similarity=torch.zeros_like(b.similarity)) for b in samples]
        return self.objective(anchors, [centers.but(similarity=prior), *equal])

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Return accuracy of the classifier, mean cosine to the batch's samples of the class.

        ``share_center`` is the mean share of an anchor's weight that its center has. Anchors whose
        label is not known count in neither this nor the accuracy, anchors without another sample
        of their class in the batch not in the cosine.
        """
        centers, batch = blocks[0], blocks[1]
        logits = centers.similarity - self.class_counts.log_prior()  # (A, C)
        right = centers.need('pull').argmax(1)  # (A,)
        pulls = torch.stack([b.need('pull').sum(1) for b in blocks if b.name != 'synthetic'], 1)
        own = mean_positive(batch)  # (A, 1)
        known = pulls[:, 0] > 0  # (A,)
        partners = batch.need('pull').sum(1) > 0  # (A,)
        hits = (logits.argmax(1) == right) & known  # (A,)
        shares = pulls[:, 0] / pulls.sum(1).where(known, 1.0)  # (A,)
        stats = dict(
            acc_top1=hits.sum() / known.sum().clamp_min(1),
            sim_positive=own[:, 0].sum() / partners.sum().clamp_min(1),
            share_center=shares.sum() / known.sum().clamp_min(1),
            queue_fill=self.memory.fill(),
        )
        if mixed is not None and mixed.mixtures:
            pushing = [self.pushing(b) for b in blocks[1:] if b.name != 'synthetic']
            stats.update(mixing_statistics(own, pushing, mixed))
        return stats

    def writes(self, views: Views) -> tuple[Write, ...]:
        """Return the write made after the loss: the keys, or the last view."""
        if self.anchor_views == 'query':
            return super().writes(views)
        last = max(views.online)
        return super().writes(Views({}, {last: views.online[last].detach()}, views.samples))

    def check_views(self, views: Views) -> None:
        """Refuse views that do not fit the memory, or come without their pooled features.

        Raises:
            ValueError: They do.
        """
        super().check_views(views)
        shapes = {tuple(rows.shape) for rows in views.online.values()}
        wanted = (views.num_images, self.memory.dim)
        if shapes != {wanted}:
            raise ValueError(
                f'embeddings of shapes {sorted(shapes)} do not fit {wanted[0]} images and a memory '
                f'of width {wanted[1]}; set the dim of the memory to the width of the neck.'
            )
        wanted = (views.num_images, self.in_channels)
        found = [tuple(views.features[v].shape) for v in views.online if v in views.features]
        if found != [wanted] * len(views.online):
            raise ValueError(
                f'pooled features of shapes {found} for {len(views.online)} views; expected '
                f'{wanted} of each: set in_channels to the width of the backbone, and call '
                'loss_views with features={view: ...}.'
            )

    def check_view_numbers(self, online: Sequence[int], target: Sequence[int]) -> None:
        """Refuse more than one query and one key of each image, or more than two views.

        Raises:
            ValueError: There are more.
        """
        wanted = (1, 1) if self.anchor_views == 'query' else (2, 0)
        if (len(online), len(target)) != wanted:
            raise ValueError(
                f'{len(online)} views of the trained encoder and {len(target)} of the averaged one '
                f'for anchor_views={self.anchor_views!r}; expected {wanted[0]} and {wanted[1]}.'
            )

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch without labels, or with one that has no center.

        Raises:
            ValueError: There is one.
        """
        super().check_samples(samples)
        if self.table is None:
            require_class(self.labels(samples), self.num_classes, type(self).__name__)

    def _check_settings(self) -> None:
        if self.oracle_loss:
            raise ValueError(
                'oracle_loss=True drops the rows of the class, which are what attracts here; take '
                'it out.'
            )
        if self.label_smoothing >= 1 or (self.label_smoothing and self.num_classes < 2):
            raise ValueError(
                f'label_smoothing is {self.label_smoothing} for {self.num_classes} classes; '
                'expected a share below 1 that at least one other class gets.'
            )
