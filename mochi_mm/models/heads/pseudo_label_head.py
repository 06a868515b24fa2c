"""The IFND objective: images with the anchor's pseudo-label do not push, or attract."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.blocks import batch_block, cancel, same_label, with_classes
from mochi_mm.models.blocks.cancel import STRATEGIES
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.build_part import build_part
from mochi_mm.models.memories import BaseMemory, PseudoLabels
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataSamples, HeadStep, Views
from mochi_mm.structures.known import require_known
from mochi_mm.utils.checks import check_choice


@MODELS.register_module()
class PseudoLabelHead(BaseContrastiveHead):
    """Take candidates with the anchor's accepted pseudo-label for false negatives (IFND).

    They leave the denominator or attract, as in :class:`FalseNegativeHead`, and are not mixed. An
    image without an accepted label finds nothing and is never found; so before any label is
    accepted this is NT-Xent, or MoCo with a memory, whose rows are looked up by their data set
    index: relabeling reaches keys that are already queued. With several granularities, the mean of
    their losses. Labels come from a :class:`PseudoLabelHook` and carry no gradient. Source: Chen et
    al., Incremental False Negative Detection for Contrastive Learning, ICLR 2022; loss and mean
    over granularities are [recalled].

    Args:
        pseudo_labels: :class:`PseudoLabels`, as a config or a module.
        strategy: ``eliminate``, ``attract``, or ``none`` for the plain objective, which still logs
            how right the labels are.
        temperature: Divides every cosine, > 0; None as in :class:`BaseContrastiveHead`.
        memory: The memory, as a config or a module; None takes the batch.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: An unknown strategy, a ``table``, a ``threshold`` beside several granularities,
            or samples without data set indices.

    >>> from mochi_mm.models.memories import PseudoLabels
    >>> labels = PseudoLabels(length=8, num_clusters=[2])
    >>> labels.tables[0].write(torch.tensor([0, 1]), label=torch.tensor([1, 1]))
    >>> head = PseudoLabelHead(labels)
    >>> losses = head.loss(torch.randn(4, 2, 16), dict(sample_idx=torch.arange(4)))
    >>> float(losses['share_found'])  # two views of two images, in 4 of 8 rows: 8 of 64
    0.125
    """

    def __init__(
        self,
        pseudo_labels: dict | nn.Module,
        strategy: str = 'eliminate',
        temperature: float | None = None,
        memory: dict | nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        if self.table is not None:
            raise ValueError(
                'PseudoLabelHead has a table for each granularity in pseudo_labels; leave table '
                'out.'
            )
        self.strategy = check_choice('strategy', strategy, STRATEGIES)
        self.pseudo_labels = build_part(pseudo_labels, PseudoLabels)
        if self.threshold is not None and len(self.pseudo_labels.num_clusters) > 1:
            raise ValueError(
                'threshold keeps one threshold an image, and num_clusters asks for '
                f'{len(self.pseudo_labels.num_clusters)} losses an image, each with other '
                'negatives; set one of num_clusters, or take threshold out.'
            )
        #: The granularity whose loss is computed.
        self._number = 0

    def compute(self, views: Views) -> HeadStep:
        """Return the mean over the granularities of losses and statistics, and pending writes."""
        steps = [self._compute_one(views, i) for i in range(len(self.pseudo_labels.num_clusters))]
        if len(steps) == 1:
            return steps[0]
        losses, statistics = (
            {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}
            for parts in ([s.losses for s in steps], [s.statistics for s in steps])
        )
        first = steps[0]
        return HeadStep(losses, statistics, first.writes, first.anchors, first.blocks, first.mixed)

    def _compute_one(self, views: Views, number: int) -> HeadStep:
        self._number = number
        return super().compute(views)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the candidates with their pseudo-labels."""
        if self.memory is None:
            return [batch_block(anchors, self.similarity, self._pseudo(anchors))]
        return super().blocks(anchors, views)

    def memory_block(self, anchors: Anchors, memory: BaseMemory) -> Block:
        """Return the memory's block, its rows with their pseudo-labels."""
        labels = self.pseudo_labels.look_up(self._number, memory.indices)  # (K,)
        return super().memory_block(anchors, memory).but(labels=labels)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks without, or attracted by, the candidates of the anchor's label."""
        block = blocks[-1]
        found = same_label(self._pseudo(anchors), block)  # (A, M)
        if self.memory is None:
            same_image = block.need('same_image')
            block, found = block.attract(same_image), found & ~same_image
        block = with_classes(block, anchors, self.memory, self.label_key)
        block = block.but(false_negative=found)
        return [*blocks[:-1], cancel(block, found, self.strategy)]

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch whose data set indices are not known.

        Raises:
            ValueError: One is missing or -1.
        """
        super().check_samples(samples)
        require_known(samples, 'sample_idx', 'PseudoLabelHead')

    def _pseudo(self, anchors: Anchors) -> Tensor:
        """Return the pseudo-label (A,) of each anchor, -1 where none is accepted."""
        return self.pseudo_labels.look_up(self._number, anchors.samples['sample_idx'])
