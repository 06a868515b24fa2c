"""UniCon: contrast with mixtures of two classes, which belong to neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mochi_mm.models.blocks import batch_block, same_label, universum_block
from mochi_mm.models.functional.statistics import contrastive_accuracy
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.check_table import check_no_table
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, HeadStep, Mixed, Views
from mochi_mm.structures.masks import without
from mochi_mm.utils.checks import check_choice

KEY_SOURCES = ('universum', 'real+universum')


@MODELS.register_module()
class UniConHead(BaseContrastiveHead):
    """Contrast every view of an image with universum views, mixtures of two classes (UniCon).

    With z the embeddings of the A views of all images, u_k that of the universum made of view k,
    which counts as one of the class of that view, and sums over the P(i) of its class but its own::

        universum       mean_p -log( e^(z_i.u_p/t) / sum_{k != i} e^(z_i.u_k/t) )
        real+universum  mean_p -log( e^(z_i.z_p/t) / (sum_{k != i} e^(z_i.z_k/t)
                                                      + sum_k e^(z_i.u_k/t)) )

    The first is the authors' code: no two images are compared with each other. The second is the
    reading of the abstract, where the universum is a further negative, the anchor's own as well.
    Gradient flows into both sides. With one view of each image, one without another of its class is
    left out of the mean. Source: Han and Chen, Universum-inspired Supervised Contrastive Learning,
    IEEE TIP 2023 (arXiv 2204.10695), and the authors' code.

    Args:
        key_source: What an anchor is compared with, see above.
        temperature: t, divides every cosine, > 0.
        **kwargs: As in :class:`BaseContrastiveHead`; no ``table``, whose labels the view editor
            does not mix by.

    Raises:
        ValueError: An unknown source of keys, a ``table``; views without universum views behind
            them.

    >>> views = torch.ones(4, 4, 16)  # 4 images, 2 views and 2 universum views, all alike
    >>> labels = dict(gt_label=torch.tensor([0, 0, 1, 1]))
    >>> round(float(UniConHead().loss(views, labels)['loss_contrast']), 3)  # log 7
    1.946
    >>> round(float(UniConHead('real+universum').loss(views, labels)['loss_contrast']), 3)  # log 15
    2.708
    """

    with_memory = False
    min_views = 1
    needs_labels = True
    #: The views that a view editor must make.
    needs_made = 'universum'

    def __init__(
        self, key_source: str = 'universum', temperature: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(temperature=temperature, **kwargs)
        self.key_source = check_choice('key_source', key_source, KEY_SOURCES)
        check_no_table(self)
        for part, value in (('removal', self.removal), ('threshold', self.threshold)):
            if value is not None and key_source == 'universum':
                raise ValueError(
                    f"{part} is {value} and key_source is 'universum', whose views are mixed of "
                    'two classes, so that none is found; take it out, or set key_source='
                    "'real+universum'."
                )

    def compute(self, views: Views) -> HeadStep:
        """Add to the statistics the share of images that found a partner, where it is known."""
        step = super().compute(views)
        found = views.samples.get('has_partner')
        if found is None:
            return step
        share = found.float().mean()
        return replace(step, statistics=dict(step.statistics, share_mixed=share))

    def anchors(self, views: Views) -> Anchors:
        """Return every view of every image; no universum view is an anchor."""
        return super().anchors(split_views(views)[0])

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the universum views; the batch before them where it counts too."""
        labels = self.labels(anchors.samples)
        rows = split_views(views)[1].online
        universum = universum_block(anchors, rows, self.similarity, labels)
        if self.key_source == 'universum':
            return [universum]
        pushing = universum.but(labels=None, dropped=None, itself=None, mixable=True)
        return [batch_block(anchors, self.similarity, labels), pushing]

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks, the candidates of the anchor's class in the first as its positives."""
        first, rest = blocks[0], blocks[1:]
        return [first.attract(same_label(self.labels(anchors.samples), first)), *rest]

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Let the accuracy count every candidate that pushes, universum views among them."""
        stats = super().statistics(blocks, mixed, counted)
        nearest = without(blocks[0].similarity, blocks[0].need('pull') == 0).amax(1)  # (A,)
        hardest = [self.pushing(b).amax(1) for b in blocks if b.name != 'synthetic']
        stats['acc_contrast'] = contrastive_accuracy(nearest, torch.stack(hardest).amax(0))
        return stats

    def check_view_numbers(self, online: Sequence[int], target: Sequence[int]) -> None:
        """Refuse views that are not half universum views.

        Raises:
            ValueError: Such views.
        """
        if len(online) % 2:
            raise ValueError(
                f'the views {list(online)}; UniConHead takes as many universum views as views, '
                "behind them: dict(type='UniversumMixing') in view_editors of the model makes them."
            )


def split_views(views: Views) -> tuple[Views, Views]:
    """Return the views of the images, and the universum views made of them in their order."""
    numbers = list(views.online)
    half = len(numbers) // 2
    real, made = (
        {number: views.online[number] for number in part}
        for part in (numbers[:half], numbers[half:])
    )
    return Views(real, samples=views.samples), Views(made, samples=views.samples)
