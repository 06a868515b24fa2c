"""MoCo with a predictor, any set of views on either side, and a scheduled key encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import DataSamples, Losses, build
from mochi_mm.models.algorithms.moco import MoCo
from mochi_mm.models.functional.ema import ema_update
from mochi_mm.models.functional.ema_schedule import EMA_SCHEDULES, scheduled_ema_decay
from mochi_mm.models.heads.memory_head import MemoryHead
from mochi_mm.models.layers.split_batch_norm import split_batch_norm
from mochi_mm.registry import MODELS


@MODELS.register_module()
class MomentumContrast(MoCo):
    """The trained encoder sees the online views, the key encoder the target views.

    The head pairs them; views are numbered as the pipeline makes them. ``(0,)`` and ``(1,)`` are
    MoCo, ``(0, 1)`` on both sides its symmetric form (two losses averaged), ``(0, ..., V - 1)``
    on the target side what support views need. Sources: Denize et al. 2023 (SCE), Huynh et al. 2022
    (FNC), Chen et al. 2021 (MoCo-v3).

    Args:
        backbone: Backbone of both encoders.
        neck: Neck of both encoders.
        head: A memory head.
        predictor: On the trained encoder's embeddings alone; None for none.
        online_views: Views that the trained encoder sees.
        target_views: Views that the key encoder sees.
        ema_schedule: ``constant``, or ``cosine`` from ``ema_decay`` to 1 over the run, by step.
        num_splits: As in :class:`MoCo`.
        **kwargs: As in :class:`MoCo`.

    Raises:
        ValueError: Views that are not numbered 0, 1, ... without a gap or that the head cannot
            use, an unknown schedule, or a predictor that does not fit.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        neck: dict | nn.Module,
        head: dict | nn.Module,
        predictor: dict | nn.Module | None = None,
        online_views: Sequence[int] = (0,),
        target_views: Sequence[int] = (1,),
        ema_schedule: str = 'constant',
        num_splits: int = 8,
        **kwargs: Any,
    ) -> None:
        if ema_schedule not in EMA_SCHEDULES:
            raise ValueError(
                f'ema_schedule is {ema_schedule!r}; expected one of {", ".join(EMA_SCHEDULES)}.'
            )
        super().__init__(backbone, neck, head, num_splits=num_splits, **kwargs)
        self.predictor: Any = build(predictor)
        if self.predictor is not None:
            self._check_predictor()
            if self.batch_shuffle == 'split_bn':
                split_batch_norm(self.predictor, num_splits)
        self.online_views, self.target_views = tuple(online_views), tuple(target_views)
        self.num_views = self._count_views()
        self.ema_schedule = ema_schedule
        self.progress: float | None = None

    def _count_views(self) -> int:
        seen = {*self.online_views, *self.target_views}
        pairs = [(i, j) for i in self.online_views for j in self.target_views if i != j]
        if seen != set(range(len(seen))) or not pairs:
            raise ValueError(
                f'online_views {self.online_views} and target_views {self.target_views}; expected '
                "the numbers 0 to V - 1 of the pipeline's V views, each in at least one, and a "
                'pair of different views.'
            )
        needed = getattr(self.head, 'min_views', 1)
        if len(self.target_views) < needed:
            raise ValueError(
                f'{type(self.head).__name__} needs the keys of {needed} views of each image, '
                f'target_views names {len(self.target_views)}; set target_views to '
                f'{tuple(range(needed))} and num_views of MultiView to {needed}, or lower '
                'num_support.'
            )
        if isinstance(self.head, MemoryHead):
            self.head.check_view_numbers(self.online_views, self.target_views)
        return len(seen)

    def _check_predictor(self) -> None:
        width = self.neck.out_channels
        given = (self.predictor.in_channels, self.predictor.out_channels)
        if given != (width, width):
            raise ValueError(
                f'the predictor goes from {given[0]} to {given[1]} channels but the neck gives '
                f'{width}; expected in_channels and out_channels of {width}.'
            )

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the head's losses and statistics for V views (B, 3, H, W) of each image."""
        queries = {view: self._encode_query(inputs[view]) for view in self.online_views}
        with torch.no_grad():
            keys = {view: self._encode_keys(inputs[view]) for view in self.target_views}
        return self.head.loss_views(queries, keys, data_samples)

    def measured_views(self) -> tuple[int, int]:
        """Return the first pair of an online and a target view that differ."""
        pairs = [(i, j) for i in self.online_views for j in self.target_views if i != j]
        return pairs[0]

    def _encode_query(self, images: Tensor) -> Tensor:
        embedding = super()._encode_query(images)
        return embedding if self.predictor is None else self.predictor(embedding)

    def set_progress(self, progress: float) -> None:
        """Tell which share of the run is done, in [0, 1]; a hook calls it at each iteration."""
        self.progress = progress

    def update_ema(self) -> None:
        """Move the key encoder's parameters towards the trained encoder's; once a step.

        Raises:
            ValueError: A scheduled decay without :meth:`set_progress`.
        """
        if self.progress is None and self.ema_schedule != 'constant':
            raise ValueError(
                f'ema_schedule={self.ema_schedule!r} depends on the progress of the run: call '
                'model.set_progress(share) before update_ema, or train with a config whose hooks '
                'include EMAUpdateHook (default_runtime.py does).'
            )
        decay = scheduled_ema_decay(self.ema_decay, self.ema_schedule, self.progress or 0.0)
        ema_update(self.key_encoder.parameters(), self.query_parameters(), decay)
