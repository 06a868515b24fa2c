"""MoCo: a trained query encoder, a slowly moving key encoder, a memory of past keys."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.distributed.exchange import exchange_rows
from mochi_mm.distributed.rows import gather_rows, rank, row_counts, world_size
from mochi_mm.models.algorithms.base_algorithm import (
    BaseAlgorithm,
    DataSamples,
    Losses,
    build,
    pool,
)
from mochi_mm.models.functional.ema import check_ema_decay, ema_update
from mochi_mm.models.layers.split_batch_norm import split_batch_norm
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS

BATCH_SHUFFLES = ('auto', 'shuffle', 'split_bn', 'none')


@MODELS.register_module()
class MoCo(BaseAlgorithm):
    """Momentum contrast over two views: the query sees the first, the key encoder the second.

    With :class:`ContrastiveHead` and a 2-layer neck it is MoCo-v2, with
    :class:`HardNegativeMixingHead` MoCHi. Sources: He et al. 2020; Chen et al. 2020 (arXiv
    2003.04297).

    Batch normalisation lets a query recognise its key by the statistics they share.
    ``batch_shuffle`` says what is done about it:

    - ``shuffle``: keys are normalised in other groups than their queries, by exchanging the key
      images among the ranks before encoding and the keys after it. Needs at least two ranks.
    - ``split_bn``: on each rank, every batch norm works on ``num_splits`` groups of the batch, and
      the key images are permuted first. This is ``shuffle`` for a single device.
    - ``none``: neither.
    - ``auto``: ``shuffle`` with several ranks, ``split_bn`` with one.

    Args:
        backbone: Backbone of both encoders.
        neck: Neck of both encoders.
        head: A memory head that works on two views, such as :class:`ContrastiveHead`.
        ema_decay: Weight of the old value when the key encoder follows, in [0.5, 1).
        batch_shuffle: See above.
        num_splits: Groups a batch is normalised in, with ``split_bn``.
        data_preprocessor: See :class:`BaseAlgorithm`.
        channels_last: See :class:`BaseAlgorithm`.
        init_cfg: See MMEngine.
    """

    num_views = 2

    def __init__(
        self,
        backbone: dict | nn.Module,
        neck: dict | nn.Module,
        head: dict | nn.Module,
        ema_decay: float = 0.999,
        batch_shuffle: str = 'auto',
        num_splits: int = 8,
        data_preprocessor: dict | nn.Module | None = None,
        channels_last: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        check_ema_decay(ema_decay)
        if batch_shuffle not in BATCH_SHUFFLES:
            raise ValueError(
                f'batch_shuffle is {batch_shuffle!r}; expected one of {", ".join(BATCH_SHUFFLES)}.'
            )
        if batch_shuffle == 'auto':
            batch_shuffle = 'shuffle' if world_size() > 1 else 'split_bn'
        if batch_shuffle == 'shuffle' and world_size() < 2:
            raise ValueError(
                "batch_shuffle='shuffle' exchanges images among ranks, but there is one process; "
                "use 'split_bn' (or 'auto') on a single device."
            )
        backbone_module, neck_module = build(backbone), build(neck)
        if batch_shuffle == 'split_bn':
            split_batch_norm(backbone_module, num_splits)
            split_batch_norm(neck_module, num_splits)
        super().__init__(
            backbone_module, neck_module, head, data_preprocessor, channels_last, init_cfg
        )
        self.ema_decay, self.batch_shuffle = ema_decay, batch_shuffle
        self.key_encoder = nn.ModuleDict(
            dict(backbone=copy.deepcopy(self.backbone), neck=copy.deepcopy(self.neck))
        )
        self.key_encoder.requires_grad_(False)
        self.step_key: StepKey | None = None

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        self.step_key = step_key

    def init_weights(self) -> None:
        """Initialise the query encoder, then make the key encoder its copy."""
        super().init_weights()
        self.key_encoder['backbone'].load_state_dict(self.backbone.state_dict())
        self.key_encoder['neck'].load_state_dict(self.neck.state_dict())

    def query_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that the key encoder follows, in its order."""
        yield from self.backbone.parameters()
        yield from self.neck.parameters()

    def update_ema(self) -> None:
        """Move the key encoder's parameters towards the query encoder's; once an optimiser step.

        Running statistics are the key encoder's own, from the batches that it sees.
        """
        ema_update(self.key_encoder.parameters(), self.query_parameters(), self.ema_decay)

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the head's losses and statistics for two views (B, 3, H, W) of each image."""
        query_view, key_view = inputs
        query = self._encode_query(query_view)
        with torch.no_grad():
            key = self._encode_keys(key_view)
        return self.head.loss(query, key, data_samples)

    @torch.no_grad()
    def embed_pair(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the raw embeddings (B, D) of a query and of a key of the same images.

        As a training step makes them, batch shuffle included, for measuring: nothing is enqueued.

        Args:
            inputs: The views of a training batch, (B, 3, H, W) each.
        """
        views = self.take_views(inputs)
        query_view, key_view = self.measured_views()
        return self._encode_query(views[query_view]), self._encode_keys(views[key_view])

    def measured_views(self) -> tuple[int, int]:
        """Return the numbers of the views that :meth:`embed_pair` takes query and key from."""
        return 0, 1

    def _encode_query(self, images: Tensor) -> Tensor:
        return self.neck(pool(self.backbone(images)))

    def _encode_keys(self, images: Tensor) -> Tensor:
        if self.batch_shuffle == 'shuffle':
            return self._encode_exchanged(images)
        if self.batch_shuffle == 'split_bn':
            order = torch.randperm(
                len(images), generator=self._generator(images.device, True), device=images.device
            )
            return self._key_encoder(images[order])[order.argsort()]
        return self._key_encoder(images)

    def _encode_exchanged(self, images: Tensor) -> Tensor:
        """Encode the key images in groups drawn from all ranks; return the keys of this rank."""
        counts = row_counts(len(images), images.device)
        start = sum(counts[: rank()])
        stop = start + counts[rank()]
        # The same permutation on every rank: none has to be sent. On the CPU: what is sent where
        # has to be known there.
        order = torch.randperm(sum(counts), generator=self._generator('cpu', False))
        images = exchange_rows(images.contiguous(), order, counts)
        keys = gather_rows(self._key_encoder(images), counts)
        return keys[order.argsort()[start:stop].to(keys.device)]

    def _key_encoder(self, images: Tensor) -> Tensor:
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return self.key_encoder['neck'](pool(self.key_encoder['backbone'](images)))

    @torch.compiler.disable  # the key changes every step, and a compiler would specialise on it
    def _generator(self, device: Any, per_rank: bool) -> torch.Generator | None:
        if self.step_key is not None:
            return self.step_key.generator('batch shuffle', device, per_rank)
        if per_rank:
            return None
        raise ValueError(
            "batch_shuffle='shuffle' draws the same permutation on every rank and needs a key for "
            'it: call model.set_step(StepKey(seed, iteration)) before each step, or train with a '
            'config whose hooks include KeyedRandomHook (default_runtime.py does).'
        )
