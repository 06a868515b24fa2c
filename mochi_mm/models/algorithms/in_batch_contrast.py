"""One encoder sees every view, and the batch is its own set of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import (
    BaseAlgorithm,
    DataSamples,
    Losses,
    build,
    pool,
)
from mochi_mm.registry import MODELS


@MODELS.register_module()
class InBatchContrast(BaseAlgorithm):
    """SimCLR's algorithm, for any in-batch head: its head makes it SimCLR, SupCon or DCL.

    All views of the batch pass the encoder as one batch, so batch norms see all of them (Chen et
    al. 2020). With several ranks set ``sync_bn='torch'`` in the config: statistics of one rank's
    images alone let the encoder recognise which rank a view came from.

    Args:
        backbone: Backbone, as a config or a module.
        head: An in-batch head on the embeddings.
        neck: Neck; None contrasts the pooled features themselves.
        backbone_head: A second in-batch head, on the pooled features, such as
            :class:`FairKLHead`; its losses are added.
        num_views: Views of each image that a batch holds; must be enough for both heads.
        data_preprocessor: See :class:`BaseAlgorithm`.
        channels_last: See :class:`BaseAlgorithm`.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Fewer or more views than a head takes, a head of another frame, or two heads
            with a loss of the same name.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        head: dict | nn.Module,
        neck: dict | nn.Module | None = None,
        backbone_head: dict | nn.Module | None = None,
        num_views: int = 2,
        data_preprocessor: dict | nn.Module | None = None,
        channels_last: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(backbone, neck, head, data_preprocessor, channels_last, init_cfg)
        self.backbone_head: Any = build(backbone_head)
        self._check_fit(self.backbone_head)
        self.num_views = num_views
        for part in (self.head, self.backbone_head):
            _check_num_views(part, num_views)

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the losses and statistics of V views (B, 3, H, W) of each image."""
        pooled = pool(self.backbone(torch.cat(list(inputs))))
        embeddings = pooled if self.neck is None else self.neck(pooled)
        losses: Losses = self.head.loss(self._by_image(embeddings), data_samples)
        if self.backbone_head is not None:
            second = self.backbone_head.loss(self._by_image(pooled), data_samples)
            if twice := sorted(set(losses) & set(second)):
                raise ValueError(
                    f'head and backbone_head both report {", ".join(twice)}; use two heads with '
                    'names of their own, such as NTXentHead and FairKLHead.'
                )
            losses.update(second)
        return losses

    def _by_image(self, rows: Tensor) -> Tensor:
        """Return (B, V, D) of (V B, D) rows that stand view by view."""
        return rows.unflatten(0, (self.num_views, -1)).transpose(0, 1)


def _check_num_views(head: Any, num_views: int) -> None:
    """Refuse a number of views that the head cannot compare."""
    needed, most = getattr(head, 'min_views', 1), getattr(head, 'max_views', None)
    if num_views < needed:
        raise ValueError(
            f'num_views is {num_views} but {type(head).__name__} compares at least '
            f'{needed} views of each image; set num_views, and that of MultiView in the '
            f'pipeline, to {needed} or more.'
        )
    if most is not None and num_views > most:
        raise ValueError(
            f'num_views is {num_views} but {type(head).__name__}, as it is set, compares '
            f'at most {most} views of each image; set num_views, and that of MultiView in the '
            f'pipeline, to {most}.'
        )
