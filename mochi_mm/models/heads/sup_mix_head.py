"""SupMix: supervised contrast of images with mixtures that belong to two classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows
from mochi_mm.models.blocks import same_label
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.check_table import check_no_table
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views

ADDED = ('own_share', 'partner_label')


@MODELS.register_module()
class SupMixHead(BaseContrastiveHead):
    """SupCon of a view and a mixed view that has two classes, a share each (SupMix).

    ``lambda SupCon(z_1, z_2; y) + (1 - lambda) SupCon(z_1, z_2; y')``: the mixed view z_2 has the
    class y of its image in the first term and that of its partner in the second, z_1 has its own in
    both. Both terms have one denominator, so the pull of a candidate is the mean of its two. A
    comparison of UniCon's authors (Han and Chen, arXiv 2204.10695), read in their code, SupCon's
    ``L_out`` with mixtures as in Un-Mix.

    Args:
        temperature: Divides every cosine, > 0.
        **kwargs: As in :class:`BaseContrastiveHead`; no ``table``, whose labels the mixed view's
            partner would lack.

    Raises:
        ValueError: A ``table``; other than two views, or samples without what was mixed.

    >>> views = torch.ones(4, 2, 16)  # 4 images, a view and a mixed view, all alike
    >>> labels = torch.tensor([0, 0, 1, 1])
    >>> mixed = dict(gt_label=labels, own_share=torch.full((4,), 0.6), partner_label=labels.flip(0))
    >>> round(float(SupMixHead().loss(views, mixed)['loss_contrast']), 4)  # log 7
    1.9459
    """

    with_memory = False
    max_views = 2
    needs_labels = True
    # What is a negative under one class of a mixed view is a positive under the other.
    estimable = False
    #: The view that a view editor must make, the second.
    needs_made = 'mixed'

    def __init__(self, temperature: float = 0.1, **kwargs: Any) -> None:
        super().__init__(temperature=temperature, **kwargs)
        check_no_table(self)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the batch with the mean of the pulls under either class of the mixed views."""
        (block,) = blocks
        own, partner = self.labels(anchors.samples), anchors.samples['partner_label']
        view = torch.arange(len(own), device=own.device) % anchors.num_views  # (A,), 1 is mixed
        share = anchors.samples['own_share'][:, None]  # (A, 1)
        first = class_weights(own, block)
        second = class_weights(torch.where(view == 1, partner, own), block)
        pull = share * first + (1 - share) * second  # (A, M)
        return [block.but(pull=pull).spare(pull > 0)]

    def check_views(self, views: Views) -> None:
        """Refuse other than two views, and samples that do not say what was mixed.

        Raises:
            ValueError: Such a batch.
        """
        super().check_views(views)
        missing = [name for name in ADDED if name not in views.samples]
        if len(views.online) != 2 or missing:
            raise ValueError(
                f'{len(views.online)} views, and the samples lack {missing or "nothing"}; '
                'SupMixHead takes a view and a mixed view with what was mixed: '
                "dict(type='ReverseMixing') in view_editors of the model makes it."
            )


def class_weights(labels: Tensor, block: Block) -> Tensor:
    """Return (A, M) one over the number of an anchor's positives for each of them, else 0.

    Args:
        labels: (A,) class of each anchor; the candidates have those of the anchors of all ranks.
        block: The batch.
    """
    same = same_label(labels, block.but(labels=gather_rows(labels))).to(block.similarity.dtype)
    return same / same.sum(1, keepdim=True).clamp_min(1)
