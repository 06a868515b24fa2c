"""ExCon: supervised contrast with masked images that show nothing of their class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows
from mochi_mm.models.blocks import image_anchors
from mochi_mm.models.heads.check_table import check_no_table
from mochi_mm.models.heads.sup_con_head import SupConHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataSamples, HeadStep, Views
from mochi_mm.utils.checks import check_choice, check_integer

BACKGROUNDS = ('none', 'negatives', 'class')
#: Label of the rows that show no class: above those of all classes.
BACKGROUND = 2**62


@MODELS.register_module()
class ExConHead(SupConHead):
    """SupCon, and beside the images' views those that a classifier finds no class in (ExCon).

    :class:`ExplainedViews` makes them, one of an image, which counts once for each view, as in the
    authors' code; before its first epoch there are none, and the loss is SupCon's. ``negatives``:
    they push every anchor, but are no anchors and attract nothing; the mean is over the others.
    ``class``: a further class. Rows that are not background, because the classifier found the
    class, are dropped. Source: the authors' code (DarrenZhang01/ExCon); that the first is what they
    call ExConB, and ``none`` ExCon, is recalled.

    Args:
        background: ``none``, ``negatives`` or ``class``.
        num_views: Views of each image; those behind are background.
        temperature: Divides every cosine, > 0.
        **kwargs: As in :class:`SupConHead`; no memory, table or ``count_all``.

    Raises:
        ValueError: An unknown use of the background, a memory, a ``table``, ``count_all``; at a
            batch, another number of views.

    >>> views = torch.ones(4, 3, 16)  # 4 images, 2 views and a background view, all alike
    >>> samples = dict(gt_label=torch.arange(4), background=torch.tensor([True, False] * 2))
    >>> round(float(ExConHead().loss(views, samples)['loss_contrast']), 3)  # log (7 + 2 * 2)
    2.398
    """

    with_memory = False
    min_views = 2
    not_removable = 'rows of background, which show no class, stand among them'
    anchors_are_images = False

    def __init__(
        self,
        background: str = 'negatives',
        num_views: int = 2,
        temperature: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature=temperature, **kwargs)
        self.background = check_choice('background', background, BACKGROUNDS)
        self.num_views = self.min_views = check_integer('num_views', num_views, 2, least=2)
        self.needs_made = None if background == 'none' else 'background'
        check_no_table(self)
        if self.count_all:
            raise ValueError(
                'count_all=True would count background rows, which have no positive; every other '
                'row has one, so take it out.'
            )

    def compute(self, views: Views) -> HeadStep:
        """Add to the statistics the shares of images that were masked and that are background."""
        step = super().compute(views)
        shares = dict(masked='share_masked', background='share_background')
        found = {
            name: views.samples[key].float().mean()
            for key, name in shares.items()
            if key in views.samples
        }
        return replace(step, statistics={**step.statistics, **found})

    def anchors(self, views: Views) -> Anchors:
        """Return every view of every image, and the background rows as further images."""
        numbers = list(views.online)
        real, made = numbers[: self.num_views], numbers[self.num_views :]
        if not made:
            return super().anchors(views)
        made = made if len(made) == len(real) else made * len(real)
        rows = {
            v: torch.cat([views.online[v], views.online[m]])
            for v, m in zip(real, made, strict=True)
        }  # (2 B, D)
        labels, wrong = self.labels(views.samples), views.samples['background']
        use = wrong if self.background == 'class' else torch.zeros_like(wrong)
        behind = torch.where(use, BACKGROUND, -1).to(labels.dtype)
        samples = {
            self.label_key: torch.cat([labels, behind]),
            'unused': torch.cat([torch.zeros_like(wrong), ~wrong]),
        }
        return image_anchors(Views(rows, samples=samples))

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the batch and the background rows, without those that are none."""
        (block,) = super().blocks(anchors, views)
        unused = anchors.samples.get('unused')
        return [block if unused is None else block.drop(gather_rows(unused)[None])]

    def labels(self, samples: DataSamples, reason: str = '') -> Tensor:
        """Return the labels; those of a batch are known already, background rows have none."""
        return samples[self.label_key]

    def check_views(self, views: Views) -> None:
        """Refuse background views that no one marked, and a number of them that has no meaning.

        Raises:
            ValueError: Such views.
        """
        super().check_views(views)
        behind = len(views.online) - self.num_views
        marked = 'background' in views.samples
        fits = behind in (1, self.num_views) if marked else behind == 0
        if not fits or (marked and self.background == 'none'):
            raise ValueError(
                f'the views {list(views.online)} {"with" if marked else "without"} the samples '
                f"'background'; ExConHead(background={self.background!r}) takes {self.num_views} "
                'views of an image, and background views as ExplainedViews makes them: set '
                'num_views of the head, and background of the editor, accordingly.'
            )
