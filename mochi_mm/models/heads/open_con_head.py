"""The objective of OpenCon: known and new classes from images of which few have a label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import (
    gather_rows,
    gather_rows_with_gradient,
    mean_over_ranks,
    rank,
    row_counts,
    world_size,
)
from mochi_mm.models.blocks import batch_block, image_anchors
from mochi_mm.models.blocks.batch import own_rows
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.functional.open_world import (
    known_score,
    novelty_cut,
    open_world_prior,
    prior_divergence,
)
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.memories import Prototypes
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataFacts, DataSamples, HeadStep, Views
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.known import require_class
from mochi_mm.utils.checks import check_integer, check_number, check_open_share, check_temperature


@dataclass(frozen=True)
class Found:
    """What the prototypes say of the N images of all ranks, by their first view.

    Attributes:
        rows: (N, D) unit rows, with gradient.
        logits: (N, C) similarities with the prototypes over their temperature, with gradient.
        labels: (N,) label, -1 where there is none.
        pseudo: (N,) the nearest prototype.
        novel: (N,) bool, unlabeled and unlike every known class.
        cut: The score below which an unlabeled image is novel, a scalar.
        counts: Images of each rank.
    """

    rows: Tensor
    logits: Tensor
    labels: Tensor
    pseudo: Tensor
    novel: Tensor
    cut: Tensor
    counts: list[int]


@MODELS.register_module()
class OpenConHead(BaseContrastiveHead):
    """Contrast within three groups of the batch, and tell known classes from new ones (OpenCon).

    The first ``num_known`` classes are known: some of their images have a label, all other images
    have the label -1. A prototype of each class, known and new, is a moving average of its
    members. An unlabeled image is *novel* where its standardized similarity with every known
    prototype is below the ``cut_quantile`` of those of the labeled images of the batch. Then::

        loss = unlabeled: NT-Xent among the unlabeled images
             + labeled:   SupCon among the labeled images
             + novel:     SupCon among the novel images, the nearest prototype as the class
             + prior:     KL( mean class probabilities of the unlabeled images || prior )

    each with its weight; a group's candidates are its own members alone. Afterwards prototypes
    follow the first views of the labeled images, and of the unlabeled ones nearest to a new class.
    A network classifies by its nearest prototype. Source: Sun and Li, OpenCon: Open-world
    Contrastive Learning, TMLR 2023, and the authors' code.

    Args:
        num_classes: C, known and new classes together, which must be known or estimated.
        num_known: Known classes, at least 1 and fewer than C.
        in_channels: D, width of the embeddings.
        labeled_share: Share of the images of a known class that have a label, in (0, 1); it sets
            the prior, in which all classes are of one size.
        temperatures: Of the terms of the unlabeled, the labeled and the novel images.
        weights: Of the same three terms, and of the prior.
        novel_ramp: The weight of the novel term grows by this much an epoch, from 0 at the first,
            up to its value; None starts with the whole.
        prototype_temperature: Divides the similarity with the prototypes.
        cut_quantile: Share of the labeled images that score below the cut, in (0, 1).
        ema_decay: Weight of the old prototype when a member comes in, in [0, 1).
        init_seed: Seed of the random rows that the prototypes start from.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A setting out of range, a memory, a mixing; a batch without a label, or with
            that of a new class; at the start of a run, data that do not have such classes.

    >>> head = OpenConHead(num_classes=4, num_known=2, in_channels=16)
    >>> samples = dict(gt_label=torch.tensor([0, 1, -1, -1, -1]))
    >>> losses = head.loss(torch.randn(5, 2, 16), samples)  # 5 images, 2 views
    >>> sorted(name for name in losses if 'loss' in name)
    ['loss_labeled', 'loss_novel', 'loss_prior', 'loss_unlabeled']
    """

    with_memory = False
    estimable = False
    not_removable = 'it decides by prototypes which samples attract'
    #: Whether every batch needs an image with a label.
    needs_labeled = True

    prior: Tensor

    def __init__(
        self,
        num_classes: int,
        num_known: int,
        in_channels: int = 128,
        labeled_share: float = 0.5,
        temperatures: tuple[float, float, float] = (0.4, 0.1, 0.7),
        weights: tuple[float, float, float, float] = (1.0, 0.2, 0.1, 0.05),
        novel_ramp: float | None = 0.001,
        prototype_temperature: float = 0.1,
        cut_quantile: float = 0.3,
        ema_decay: float = 0.9,
        init_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if kwargs.get('temperature') is not None:
            raise ValueError(
                f'OpenConHead temperature is {kwargs["temperature"]!r}, and each of its terms has '
                'one of its own; set temperatures and prototype_temperature.'
            )
        super().__init__(**kwargs)
        self.num_classes = check_integer('num_classes', num_classes, 10)
        self.num_known = check_integer('num_known', num_known, 5)
        self.in_channels = check_integer('in_channels', in_channels, 128)
        _check(num_classes, num_known, labeled_share, cut_quantile, kwargs.get('mixing'))
        self.labeled_share, self.cut_quantile = labeled_share, cut_quantile
        self.temperatures = tuple(check_temperature(value) for value in temperatures)
        self.weights = tuple(check_number('weights', w, 1.0, zero=True) for w in weights)
        if len(self.temperatures) != 3 or len(self.weights) != 4:
            raise ValueError(
                f'temperatures are {temperatures} and weights are {weights}; expected 3 '
                'temperatures (unlabeled, labeled, novel) and 4 weights (the same, prior).'
            )
        self.novel_ramp = novel_ramp
        if novel_ramp is not None:
            check_number('novel_ramp', novel_ramp, 0.001)
        self.prototype_temperature = check_temperature(prototype_temperature)
        self.prototypes = Prototypes(num_classes, in_channels, ema_decay, init_seed)
        prior = open_world_prior(num_classes, num_known, labeled_share)
        self.register_buffer('prior', prior, persistent=False)
        #: Weight of the novel term in the current epoch.
        self.novel_weight = self.weights[2] if novel_ramp is None else 0.0

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each."""
        super().set_epoch(epoch, max_epochs)
        if self.novel_ramp is not None:
            self.novel_weight = min(self.weights[2], self.novel_ramp * epoch)

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a data set that is not split into known and new classes like this.

        How many new classes there are is no fact of the training set: ``num_classes`` may be an
        estimate.

        Raises:
            ValueError: Known classes without a label, or new ones with.
        """
        known = (facts.class_counts > 0).nonzero().flatten().tolist()
        if known != list(range(self.num_known)):
            raise ValueError(
                f'OpenConHead is made for {self.num_known} known classes, the first ones; the '
                f'training set has labels of {len(known)} of {len(facts.class_counts)}, such as '
                f'{known[:5]}. Set num_known to that of OpenWorld.'
            )

    def compute(self, views: Views) -> HeadStep:
        """Return the four losses; see :meth:`BaseContrastiveHead.compute`."""
        self.check_views(views)
        self.check_samples(views.samples)
        device = next(iter(views.online.values())).device
        with torch.autocast(device.type, enabled=False):
            views = self.normalize(views)
            found = self.find(views)
            anchors = image_anchors(views)
            batch = batch_block(anchors, self.similarity)
            labeled = found.labels >= 0
            everyone = torch.arange(len(found.labels), device=device)  # an image is its own class
            groups = (  # name, weight, members, their classes, temperature
                ('unlabeled', self.weights[0], ~labeled, everyone, self.temperatures[0]),
                ('labeled', self.weights[1], labeled, found.labels, self.temperatures[1]),
                ('novel', self.novel_weight, found.novel, found.pseudo, self.temperatures[2]),
            )
            losses = {
                f'loss_{name}': weight * self.term(anchors, batch, found, members, classes, t)
                for name, weight, members, classes, t in groups
            }
            shares = found.logits.softmax(dim=1)  # (N, C)
            divergence = prior_divergence(shares, ~labeled, self.prior)
            losses['loss_prior'] = self.weights[3] * divergence
            losses = {name: self.weight * loss for name, loss in losses.items()}
            with torch.no_grad():
                statistics = self.figures(found)
        return HeadStep(losses, statistics, self.updates(found), anchors, (batch,))

    def find(self, views: Views) -> Found:
        """Return what the prototypes say of the images of all ranks."""
        first = views.online[min(views.online)]
        counts = row_counts(len(first))
        rows = gather_rows_with_gradient(first, counts)  # (N, D)
        labels = gather_rows(views.samples[self.label_key], counts)  # (N,)
        with_gradient = self.logits(rows)  # (N, C)
        logits = with_gradient.detach()
        scores, labeled = known_score(logits, self.num_known), labels >= 0
        cut = novelty_cut(scores, labeled, self.cut_quantile)
        novel = ~labeled & (scores < cut)
        return Found(rows, with_gradient, labels, logits.argmax(dim=1), novel, cut, counts)

    def logits(self, rows: Tensor) -> Tensor:
        """Return (N, C) similarities of unit rows (N, D) with the prototypes, over temperature."""
        return self.similarity(rows, self.prototypes.snapshot()) / self.prototype_temperature

    def term(
        self,
        anchors: Anchors,
        batch: Block,
        found: Found,
        group: Tensor,
        classes: Tensor,
        temperature: float,
    ) -> Tensor:
        """Return the mean loss of a group, in which those of a class attract each other.

        Args:
            anchors: All views of this rank's images.
            batch: All views of all images as candidates.
            found: What is known of the images.
            group: (N,) bool, images of the group, of all ranks.
            classes: (N,) class of each image.
            temperature: Divides every cosine.
        """
        members = group.repeat_interleave(anchors.num_views)  # (M,)
        kinds = classes.repeat_interleave(anchors.num_views)  # (M,)
        number, counts = len(anchors.rows), [c * anchors.num_views for c in found.counts]
        own, mine = own_rows(kinds, number, counts), own_rows(members, number, counts)  # (A,)
        same = (own[:, None] == kinds) & members & ~batch.need('itself')  # (A, M)
        losses = contrast_blocks([batch.drop(~members[None]).attract(same)], temperature)
        return mean_over_ranks(losses, mine)

    def figures(self, found: Found) -> dict[str, Tensor]:
        """Return the cut, the share of novel images, and how many classes the rest is taken for."""
        unlabeled = found.labels < 0
        taken = torch.zeros(self.num_classes, device=found.pseudo.device)
        taken.index_add_(0, found.pseudo, unlabeled.float())
        share = found.novel.sum() / unlabeled.sum().clamp_min(1)
        return dict(
            novelty_cut=found.cut, share_novel=share, active_prototypes=(taken > 0).sum().float()
        )

    def updates(self, found: Found) -> tuple[Write, ...]:
        """Return the move of the prototypes, made after the loss."""
        new = torch.where(found.pseudo >= self.num_known, found.pseudo, -1)
        classes = torch.where(found.labels >= 0, found.labels, new)
        number = found.counts[rank()]
        rows = found.rows.detach()
        rows, classes = (own_rows(v, number, found.counts) for v in (rows, classes))
        return (partial(self.prototypes.enqueue, rows, classes),)

    def predict(self, features: Tensor) -> Tensor:
        """Return (B, C) probabilities of raw embeddings (B, D)."""
        with torch.autocast(features.device.type, enabled=False):
            return self.logits(unit_rows(features)).softmax(dim=1)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Not used: each group has positives of its own."""
        return blocks

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch without a label, or with the label of a class that is not known.

        Raises:
            ValueError: As said.
        """
        super().check_samples(samples)
        labels = samples.get(self.label_key)
        if labels is None:
            raise ValueError(
                f'OpenConHead needs {self.label_key} in the data samples, with -1 for an image '
                'without a label; take training images from OpenWorld.'
            )
        require_class(labels, self.num_known, 'OpenConHead with known classes')
        if labels.device.type == 'cpu' and world_size() == 1 and bool((labels < 0).all()):
            raise ValueError(
                f'none of the {len(labels)} images of this batch has a label, so nothing says what '
                'is known; expected the share of OpenWorld: take TwoStreamSampler, or a larger '
                'batch_size.'
            )


def _check(
    num_classes: int, num_known: int, labeled_share: float, cut_quantile: float, mixing: Any
) -> None:
    """Refuse settings that do not fit each other.

    Raises:
        ValueError: They do not.
    """
    if num_known >= num_classes:
        raise ValueError(
            f'num_known is {num_known} and num_classes is {num_classes}; expected fewer known '
            'classes than prototypes, since what is no known class belongs to a new one.'
        )
    check_open_share('OpenConHead labeled_share', labeled_share)
    check_open_share('OpenConHead cut_quantile', cut_quantile, 0.3)
    if mixing is not None:
        raise ValueError(
            f'mixing is {mixing} but OpenConHead takes none: its groups are small, and what is '
            'hard in them is told by the prototypes. Take it out.'
        )
