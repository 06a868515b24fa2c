"""Contrastive learning within the batch: one encoder for all views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm, Losses
from mochi_mm.models.algorithms.check_fit import check_learned_views, check_num_views
from mochi_mm.models.algorithms.named_heads import named_heads
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.features import Features


@MODELS.register_module()
class InBatchContrast(BaseAlgorithm):
    """SimCLR's algorithm, for any in-batch head: its head makes it SimCLR, SupCon or DCL.

    All views of the batch pass the encoder as one batch, so batch norms see all of them (Chen et
    al. 2020), and crops of several sizes as one batch for each size (multi-crop); what view editors
    make of them passes before, as a batch of its own. With several ranks set ``sync_bn='torch'`` in
    the config: statistics of one rank's images alone let the encoder recognize which rank a view
    came from.

    Args:
        backbone: Backbone, as a config or a module.
        head: An in-batch head on the embeddings.
        neck: Neck; None contrasts the pooled features themselves.
        num_views: Views of each image that a batch holds; must be enough for all heads.
        **kwargs: As in :class:`BaseAlgorithm`.

    Raises:
        ValueError: Fewer or more views than a head takes, a head that learns from a view that is
            not there or none of an image, or a head of another frame.
    """

    gives = 'views'
    #: Whether views that an editor appends are embedded and compared like the others.
    takes_more_views = True

    def __init__(
        self,
        backbone: dict | nn.Module,
        head: dict | nn.Module | None = None,
        neck: dict | nn.Module | None = None,
        num_views: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, neck, head, **kwargs)
        self.num_views: int = num_views
        for part in named_heads(self).values():
            check_num_views(part, num_views, self.view_editors)
            check_learned_views(part, num_views, self.view_editors)

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the losses and statistics of V views (B, 3, H, W) of each image."""
        return self.objectives(self.embed_views(inputs), {}, data_samples or {})

    def embed_views(self, inputs: Sequence[Tensor], encoder: str = 'online') -> dict[int, Features]:
        """Return the features of V views (B, 3, H, W) by their number.

        Those of one size pass together, and what view editors made before the views of images, so
        that running statistics are above all those of images.

        Args:
            inputs: Views of one size or of several.
            encoder: Encoder that they pass.
        """
        made = {view for editor in self.view_editors for view in editor.made(self.num_views)}
        batches: dict[tuple[bool, tuple[int, ...]], list[int]] = {}
        for view, images in enumerate(inputs):
            batches.setdefault((view not in made, tuple(images.shape[2:])), []).append(view)
        found: dict[int, Features] = {}
        for _, views in sorted(batches.items(), key=lambda item: item[0][0]):
            features = self.embed(torch.cat([inputs[view] for view in views]), encoder)
            # (V B, ...), view by view
            parts = (features.backbone.chunk(len(views)), features.neck.chunk(len(views)))
            for view, pooled, embedding in zip(views, *parts, strict=True):
                found[view] = Features(pooled, embedding, embedding)
        return {view: found[view] for view in sorted(found)}
