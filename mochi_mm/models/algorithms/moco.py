"""MoCo: a trained encoder, and an averaged one that follows it slowly."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm, Losses, build
from mochi_mm.models.algorithms.batch_shuffle import BatchShuffle
from mochi_mm.models.algorithms.check_fit import (
    check_mixed_views,
    check_pair_views,
    check_predictor,
)
from mochi_mm.models.algorithms.named_heads import named_heads
from mochi_mm.models.functional.ema import check_ema_decay, ema_update
from mochi_mm.models.functional.ema_schedule import EMA_SCHEDULES, scheduled_ema_decay
from mochi_mm.models.layers.split_batch_norm import split_batch_norm
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.features import CELLS, Features
from mochi_mm.structures.protocols import Backbone, Neck
from mochi_mm.utils.checks import check_choice, check_integer


@MODELS.register_module()
class MoCo(BaseAlgorithm):
    """Momentum contrast: the trained encoder sees online views, the averaged one target views.

    With :class:`ContrastiveHead` and a 2-layer neck it is MoCo-v2, with
    :class:`HardNegativeMixingHead` MoCHi, with :class:`KeyBatchHead` and a predictor MoCo-v3. The
    head pairs the views; they are numbered as the pipeline makes them. ``(0,)`` and ``(1,)`` are
    MoCo's, ``(0, 1)`` on both sides its symmetric form, ``(0, ..., V - 1)`` on the target side what
    support views need. Sources: He et al. 2020; Chen et al. 2020 (arXiv 2003.04297); Denize et al.
    2023 (SCE); Huynh et al. 2022 (FNC); Chen et al. 2021 (MoCo-v3).

    Batch normalization lets a query recognize its key by the statistics they share.
    ``batch_shuffle`` says what is done about it:

    - ``shuffle``: keys are normalized in other groups than their queries, by exchanging the key
      images among the ranks before encoding and the keys after it. Needs at least two ranks.
    - ``split_bn``: on each rank, every batch norm works on ``num_splits`` groups of the batch, and
      the key images are permuted first. This is ``shuffle`` for a single device.
    - ``none``: neither.
    - ``auto``: ``shuffle`` with several ranks, ``split_bn`` with one.

    Args:
        backbone: Backbone of both encoders.
        neck: Neck of both encoders.
        head: A head that works on pairs of views, such as :class:`ContrastiveHead`.
        predictor: Predictor on the trained encoder's embeddings alone; None for none.
        online_views: Views that the trained encoder sees.
        target_views: Views that the averaged encoder sees.
        ema_decay: Weight of the old value when the averaged encoder follows, in [0.5, 1).
        ema_schedule: ``constant``, or ``cosine`` from ``ema_decay`` to 1 over the run, by step.
        batch_shuffle: See above.
        num_splits: Groups per batch, each normalized by itself, with ``split_bn``; None for 8.
        **kwargs: As in :class:`BaseAlgorithm`.

    Raises:
        ValueError: Views that are not numbered 0, 1, ... without a gap or that a head cannot use,
            an unknown schedule or shuffle, ``num_splits`` that nothing reads, or a predictor that
            does not fit.
    """

    gives = 'pairs'
    copies = ('key_encoder',)
    neck: Neck

    def __init__(
        self,
        backbone: dict | nn.Module,
        neck: dict | nn.Module,
        head: dict | nn.Module | None = None,
        predictor: dict | nn.Module | None = None,
        online_views: Sequence[int] = (0,),
        target_views: Sequence[int] = (1,),
        ema_decay: float = 0.999,
        ema_schedule: str = 'constant',
        batch_shuffle: str = 'auto',
        num_splits: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_ema_decay(ema_decay)
        check_choice('ema_schedule', ema_schedule, EMA_SCHEDULES)
        shuffle = BatchShuffle(batch_shuffle)
        if num_splits is not None and batch_shuffle in ('shuffle', 'none'):
            raise ValueError(
                f'num_splits is {num_splits} but batch_shuffle is {batch_shuffle!r}, which makes '
                "no groups; take num_splits out (None), or set batch_shuffle='split_bn'."
            )
        groups = 8 if num_splits is None else check_integer('num_splits', num_splits, 8)
        encoder = dict(backbone=build(backbone), neck=build(neck))
        last = build(predictor)
        if shuffle.kind == 'split_bn':
            for part in (*encoder.values(), *([] if last is None else [last])):
                split_batch_norm(part, groups)
        super().__init__(encoder['backbone'], encoder['neck'], head, **kwargs)
        self.predictor = cast('Neck | None', last)
        check_predictor(self.predictor, self.neck)
        self.batch_shuffle = shuffle.kind
        self._shuffle = shuffle
        self.ema_decay, self.ema_schedule = ema_decay, ema_schedule
        self.key_encoder = nn.ModuleDict(copy.deepcopy(encoder))
        self.key_encoder.requires_grad_(False)
        self.online_views, self.target_views = tuple(online_views), tuple(target_views)
        self.num_views = check_pair_views(
            self.online_views, self.target_views, list(named_heads(self).values())
        )
        check_mixed_views(self.view_editors, self.online_views, self.target_views)
        self.progress: float | None = None

    @property
    def query_views(self) -> tuple[int, ...]:
        """Return the views that the trained encoder sees."""
        return self.online_views

    @property
    def step_key(self) -> StepKey | None:
        """Key of the current step, None if no step was named."""
        return self._shuffle.step_key

    def set_step(self, step_key: StepKey | None) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        self._shuffle.step_key = step_key

    def set_progress(self, progress: float) -> None:
        """Set the share of the run that is done, in [0, 1]; a hook calls it at each iteration."""
        self.progress = progress

    def init_weights(self) -> None:
        """Initialize the trained encoder, then make the averaged encoder its copy."""
        super().init_weights()
        self.reset_copies()

    def reset_copies(self) -> None:
        """Make the averaged encoder a copy of the trained one."""
        self.key_encoder['backbone'].load_state_dict(self.backbone.state_dict())
        self.key_encoder['neck'].load_state_dict(self.neck.state_dict())

    def query_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that the averaged encoder follows, in its order."""
        yield from self.backbone.parameters()
        yield from self.neck.parameters()

    def update_ema(self) -> None:
        """Move the averaged encoder towards the trained one; once per optimizer step.

        Running statistics are the averaged encoder's own, from the batches that it sees.

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

    def encoder(self, name: str) -> tuple[Backbone, Neck | None, Neck | None]:
        """Return backbone, neck and predictor of the ``online`` or the ``target`` encoder."""
        if name == 'target':
            averaged = self.key_encoder
            return cast(Backbone, averaged['backbone']), cast(Neck, averaged['neck']), None
        return (*super().encoder(name)[:2], self.predictor)

    def view_numbers(self, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the views that the trained encoder sees, and those of the averaged one."""
        return self.online_views, self.target_views

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the losses and statistics of V views (B, 3, H, W) of each image."""
        online = {view: self.embed(inputs[view]) for view in self.online_views}
        target = self.embed_keys({view: inputs[view] for view in self.target_views})
        return self.objectives(online, target, data_samples or {})

    @torch.no_grad()
    def embed_pair(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the raw embeddings (B, D) of a query and of a key, where the main head taps them.

        As a training step makes them, batch shuffle included, for measuring: nothing is enqueued.
        Those of whole images, where the head taps cells.

        Args:
            inputs: The views of a training batch, (B, 3, H, W) each.
        """
        views = self.take_views(inputs)
        i, j = self.measured_views()
        query, key = self.embed(views[i]), self.embed_keys({j: views[j]})[j]
        tapped = None if self.head is None else self.head.tap
        tap = 'predictor' if tapped is None or tapped == CELLS else tapped
        return query.at(tap), key.at(tap)

    def measured_views(self) -> tuple[int, int]:
        """Return the first pair of an online and a target view that differ."""
        pairs = [(i, j) for i in self.online_views for j in self.target_views if i != j]
        return pairs[0]

    @torch.no_grad()
    def embed_keys(self, views: Mapping[int, Tensor]) -> dict[int, Features]:
        """Return the features of the averaged encoder, in the groups of the batch shuffle.

        Args:
            views: Images (B, 3, H, W) by the number of their view.
        """
        return {view: self._shuffle(self._embed_key, images) for view, images in views.items()}

    def _embed_key(self, images: Tensor) -> Features:
        return self.embed(self.in_layout([images])[0], 'target')
