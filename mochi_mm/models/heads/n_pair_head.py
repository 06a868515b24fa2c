"""The N-pair objective: the first view of each image is told from the second views of all."""

from __future__ import annotations

from typing import Any

from mochi_mm.models.blocks import batch_keys_block, pair_anchors
from mochi_mm.models.heads.batch_keys_head import BatchKeysHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views


@MODELS.register_module()
class NPairHead(BatchKeysHead):
    """Classify the second view of the own image among the second views of all, in one direction.

    ``-log( e^(q_i.k_i/t) / sum_j e^(q_i.k_j/t) )``, q of the first and k of the second view, both
    with gradient, j over the images of all ranks. Unlike NT-Xent it compares no first view with
    another, so the first may be mixed: the target of a mixed query is then the key of its image and
    that of its partner, by their shares (:class:`~mochi_mm.models.view_editors.InstanceMix`).
    Sources: Sohn 2016, N-pair loss; Lee et al., i-Mix, ICLR 2021.

    Args:
        temperature: t, divides every cosine, > 0.
        **kwargs: As in :class:`BaseContrastiveHead`.

    >>> import torch
    >>> from mochi_mm.structures import MixedInputs
    >>> features = torch.eye(2)[:, None].repeat(1, 2, 1)  # 2 images, 2 views, the images unlike
    >>> round(float(NPairHead(1.0).loss(features)['loss_contrast']), 4)  # log(1 + 1 / e)
    0.3133
    >>> mixed = MixedInputs(partner=torch.tensor([1, 0]), share=torch.full((2,), 0.75))
    >>> loss = NPairHead(1.0).loss(features, mixed.added_to({}))['loss_contrast']
    >>> round(float(loss), 4)  # a quarter of the target is the other image's
    0.5633
    """

    max_views = 2

    def __init__(self, temperature: float = 0.2, **kwargs: Any) -> None:
        super().__init__(temperature=temperature, **kwargs)

    def anchors(self, views: Views) -> Anchors:
        """Return the first view of each image."""
        return pair_anchors(_one_way(views))

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the second views of the images of all ranks, with gradient."""
        return [batch_keys_block(anchors, _one_way(views), self.similarity, gradient=True)]


def _one_way(views: Views) -> Views:
    """Return the first view as a query and the second as its key."""
    query, key = views.online.items()
    return Views(dict([query]), dict([key]), views.samples)
