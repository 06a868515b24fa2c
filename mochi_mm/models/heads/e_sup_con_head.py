"""Supervised contrast of samples and learned class prototypes: an encoder and its classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.models.blocks import batch_block, image_anchors, prototype_block, same_label
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.memories import Prototypes
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataFacts, DataSamples, Mixed, Views
from mochi_mm.structures.known import require_class
from mochi_mm.utils.checks import check_integer, check_number


@MODELS.register_module()
class ESupConHead(BaseContrastiveHead):
    """SupCon with learned unit prototypes among anchors and candidates (ESupCon).

    A sample is attracted by the other samples of its class and by the class's prototype, and pushed
    by all other samples and prototypes; a prototype is attracted by the samples of its class and
    pushed by the others. A prototype whose class is not in the batch is no anchor. The loss is the
    mean over all anchors, samples and prototypes; each rank takes a share of the prototypes. A
    sample is classified by ``softmax(cosine with the prototypes / temperature)``, so there is no
    second stage. **This is our reading** of Aljundi et al., Contrastive Classification and
    Representation Learning with Probabilistic Interpretation, AAAI 2023, of which the abstract and
    the caption of a figure were at hand: denominators, weights, temperature, the length of the
    prototypes and the space that they lie in are not verified.

    Args:
        num_classes: C, number of classes and prototypes.
        in_channels: D, width of the embeddings.
        temperature: Divides every cosine.
        prototype_weight: Weight of the own prototype among the positives of a sample, where another
            sample has 1. In a batch with many samples of a class, 1 moves samples little towards
            their prototype.
        prototype_negatives: Let the other prototypes push a prototype too.
        init_seed: Seed of the random rows that the prototypes start from.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: A setting out of range, or a memory; at the start of a run, more or fewer
            classes than prototypes, or a class without an image.

    >>> head = ESupConHead(num_classes=3, in_channels=16)
    >>> samples = dict(gt_label=torch.tensor([0, 0, 2]))
    >>> losses = head.loss(torch.randn(3, 2, 16), samples)  # 3 images, 2 views
    >>> sorted(losses)[:3], head.predict(torch.randn(5, 16)).shape
    (['acc_contrast', 'acc_top1', 'chance_level'], torch.Size([5, 3]))
    """

    with_memory = False
    min_views = 1
    needs_labels = True
    anchors_are_images = False

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 128,
        temperature: float = 0.1,
        prototype_weight: float = 1.0,
        prototype_negatives: bool = False,
        init_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature=temperature, **kwargs)
        self.num_classes = check_integer('ESupConHead num_classes', num_classes, 10)
        self.in_channels = check_integer('ESupConHead in_channels', in_channels, 128)
        self.prototypes = Prototypes(num_classes, in_channels, None, init_seed)
        self.prototype_weight = check_number('ESupConHead prototype_weight', prototype_weight, 1.0)
        self.prototype_negatives = prototype_negatives

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a data set with other classes; called before the first iteration.

        Raises:
            ValueError: More or fewer classes than prototypes, or a class without an image.
        """
        facts.images_of(self.num_classes, f'ESupConHead with {self.num_classes} prototypes')

    def anchors(self, views: Views) -> Anchors:
        """Return every view of the batch, then this rank's share of the prototypes."""
        samples, prototypes = image_anchors(views), self.prototypes.snapshot()
        classes = torch.arange(self.num_classes, device=prototypes.device)
        share = slice(rank(), None, world_size())  # so that each is an anchor once
        labels = torch.cat([self.labels(samples.samples), classes[share]])  # (A + P,)
        return Anchors(
            torch.cat([samples.rows, prototypes[share]]),  # (A + P, D), A views, P prototypes
            torch.cat([samples.image, torch.full_like(classes[share], -1)]),
            views.num_images,
            {self.label_key: labels},
            num_views=samples.num_views,
        )

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the samples of all ranks, and the prototypes."""
        samples = image_anchors(views)
        batch = batch_block(samples, self.similarity, self.labels(samples.samples))
        prototypes = prototype_block(anchors.rows, self.prototypes.snapshot(), self.similarity)
        first = len(samples.rows)
        batch = self._with_prototypes(batch, anchors.rows[first:])
        return [batch, self._apart(prototypes, anchors.samples[self.label_key][first:])]

    def _with_prototypes(self, batch: Block, own: Tensor) -> Block:
        """Return the samples as candidates of the prototypes (P, D) too."""
        similarity = self.similarity(own, batch.need('rows'))  # (P, M)
        nowhere = torch.zeros_like(similarity, dtype=torch.bool)  # (P, M)
        masks = {
            name: torch.cat([batch.need(name), nowhere])
            for name in ('dropped', 'itself', 'same_image')
        }
        similarity = torch.cat([batch.similarity, similarity])  # (A + P, M)
        return batch.but(similarity=similarity, mixable=~masks['dropped'], **masks)

    def _apart(self, prototypes: Block, own: Tensor) -> Block:
        """Return the prototypes without what they are to each other.

        Args:
            prototypes: Candidates of the samples, and of P prototypes behind them.
            own: (P,) class of each of these.
        """
        dropped = torch.zeros_like(prototypes.similarity, dtype=torch.bool)  # (A + P, C)
        itself = own[:, None] == prototypes.need('labels')  # (P, C)
        last = itself if self.prototype_negatives else torch.ones_like(itself)
        dropped = torch.cat([dropped[: len(dropped) - len(own)], last])
        return prototypes.but(dropped=dropped)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return both with the anchor's class attracting."""
        labels = anchors.samples[self.label_key]
        batch, prototypes = (block.attract(same_label(labels, block)) for block in blocks)
        return [batch, prototypes.but(pull=self.prototype_weight * prototypes.need('pull'))]

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Add the accuracy of the prototypes as a classifier of the batch, a share."""
        stats = super().statistics(blocks, mixed, counted)
        prototypes = blocks[1]
        right = (prototypes.need('pull') > 0) & ~prototypes.need('dropped')  # (A + P, C)
        nearest = prototypes.similarity.argmax(1, keepdim=True)  # (A + P, 1)
        hits, samples = right.gather(1, nearest).sum(), right.any(1).sum()
        return dict(stats, acc_top1=hits / samples.clamp_min(1))

    def logits(self, features: Tensor) -> Tensor:
        """Return (B, C) cosines of raw embeddings (B, D) over the temperature."""
        with torch.autocast(features.device.type, enabled=False):
            cosines = self.similarity(unit_rows(features), self.prototypes.snapshot())  # (B, C)
            return cosines / self.temperature

    def predict(self, features: Tensor) -> Tensor:
        """Return (B, C) probabilities of raw embeddings (B, D)."""
        return self.logits(features).softmax(dim=1)

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch with labels that no prototype stands for.

        Raises:
            ValueError: A label is missing, -1, or as large as the number of prototypes.
        """
        super().check_samples(samples)
        if self.table is None:
            require_class(samples[self.label_key], self.num_classes, type(self).__name__)
