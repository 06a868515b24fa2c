"""Keys normalized in other groups of images than their queries (He et al. 2020, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.distributed.exchange import exchange_rows
from mochi_mm.distributed.rows import row_counts, world_size
from mochi_mm.randomness import StepKey
from mochi_mm.structures.features import Features
from mochi_mm.utils.checks import check_choice

BATCH_SHUFFLES = ('auto', 'shuffle', 'split_bn', 'none')

Encode = Callable[[Tensor], Features]


class BatchShuffle:
    """Encode a batch in another order of its images, and return the features in the given one.

    Args:
        kind: See :class:`MoCo`; ``auto`` chooses by the number of ranks.

    Raises:
        ValueError: An unknown kind, or ``shuffle`` with a single process.
    """

    def __init__(self, kind: str) -> None:
        check_choice('batch_shuffle', kind, BATCH_SHUFFLES)
        if kind == 'auto':
            kind = 'shuffle' if world_size() > 1 else 'split_bn'
        if kind == 'shuffle' and world_size() < 2:
            raise ValueError(
                "batch_shuffle='shuffle' exchanges images among ranks, but there is one process; "
                "use 'split_bn' (or 'auto') on a single device."
            )
        self.kind = kind
        self.step_key: StepKey | None = None

    def __call__(self, encode: Encode, images: Tensor) -> Features:
        """Return the features of images (B, 3, H, W), encoded in shuffled groups."""
        if self.kind == 'shuffle':
            return self._exchanged(encode, images)
        if self.kind == 'split_bn':
            generator = self._generator(images.device, per_rank=True)
            order = torch.randperm(len(images), generator=generator, device=images.device)
            return _reordered(encode(images[order]), order.argsort())
        return encode(images)

    def _exchanged(self, encode: Encode, images: Tensor) -> Features:
        """Encode the images in groups drawn from all ranks; return the features of this rank."""
        counts = row_counts(len(images))
        # The same permutation on every rank: none has to be sent. On the CPU: what is sent where
        # has to be known there.
        # (M,) of the M images of all ranks
        order = torch.randperm(sum(counts), generator=self._generator('cpu', per_rank=False))
        features = encode(exchange_rows(images.contiguous(), order, counts))
        # Each row goes back to the rank of its image, and to no other.
        back = order.argsort()
        pooled = exchange_rows(features.backbone, back, counts)  # (B, C)
        embedding = exchange_rows(features.neck, back, counts)  # (B, D)
        cells = features.cells and features.cells.each(
            lambda rows: exchange_rows(rows.contiguous(), back, counts)
        )
        return Features(pooled, embedding, embedding, cells)

    @torch.compiler.disable  # the key changes every step, and a compiler would specialize on it
    def _generator(self, device: torch.device | str, per_rank: bool) -> torch.Generator | None:
        if self.step_key is not None:
            return self.step_key.generator('batch shuffle', device, per_rank)
        if per_rank:
            return None
        raise ValueError(
            "batch_shuffle='shuffle' draws the same permutation on every rank and needs a key for "
            'it: call model.set_step(StepKey(seed, iteration)) before each step, or train with a '
            'config whose hooks include KeyedRandomHook (default_runtime.py does).'
        )


def _reordered(features: Features, order: Tensor) -> Features:
    embedding = features.neck[order]
    cells = features.cells and features.cells.each(lambda rows: rows[order])
    return Features(features.backbone[order], embedding, embedding, cells)
