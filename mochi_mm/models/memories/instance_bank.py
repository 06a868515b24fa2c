"""One feature for each training image (Wu et al. 2018, InstDis; Tian et al. 2020, CMC)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.memories.checks import check_keys, check_sizes
from mochi_mm.registry import MODELS


@MODELS.register_module()
class InstanceBank(nn.Module):
    """Row i belongs to image i of the data set and follows its features as a moving average.

    ``row = unit(momentum * row + (1 - momentum) * feature)``. All state is in persistent buffers,
    so a checkpoint restores it whole. Rows start as random unit vectors, the same on every rank.

    Args:
        length: n, images of the data set; more rows are allowed, fewer are refused.
        dim: D, width of a feature.
        momentum: Weight of the old row, in [0, 1); 0.5 in the methods named above.
        init_seed: Seed of the rows that the bank starts from.

    Attributes:
        features: (n, D) float32 unit rows.
        labels: (n,) int64 class of each image, -1 if unknown.
        indices: (n,) int64, the row's own number once it has been written, -1 before.
    """

    features: Tensor
    labels: Tensor
    indices: Tensor

    def __init__(
        self, length: int, dim: int = 128, momentum: float = 0.5, init_seed: int = 0
    ) -> None:
        super().__init__()
        check_sizes(self, length, dim)
        if not 0 <= momentum < 1:
            raise ValueError(
                f'InstanceBank momentum is {momentum}; expected the weight of the old row, in '
                '[0, 1), such as 0.5.'
            )
        self.length, self.dim, self.momentum = length, dim, momentum
        rows = torch.randn(length, dim, generator=torch.Generator().manual_seed(init_seed))
        self.register_buffer('features', F.normalize(rows, dim=1))
        self.register_buffer('labels', torch.full((length,), -1, dtype=torch.int64))
        self.register_buffer('indices', torch.full((length,), -1, dtype=torch.int64))

    def extra_repr(self) -> str:
        """Return what is printed of the bank."""
        return f'length={self.length}, dim={self.dim}, momentum={self.momentum}'

    def check_samples(self, samples: int) -> None:
        """Refuse a data set with more images than rows; a hook calls it before training.

        Raises:
            ValueError: ``samples`` exceeds ``length``.
        """
        if samples > self.length:
            raise ValueError(
                f'the instance bank has {self.length} rows but the data set {samples} images; '
                f'expected one row for each image: set length of the InstanceBank to {samples}.'
            )

    def snapshot(self) -> Tensor:
        """Return a copy of the rows, (n, D), that a later :meth:`enqueue` leaves alone."""
        return self.features.clone()

    def held(self) -> Tensor:
        """Return a (n,) mask of the rows that have been written."""
        return self.indices >= 0

    def fill(self) -> Tensor:
        """Return the share of rows that have been written, a float32 scalar in [0, 1]."""
        return self.held().float().mean()

    def own_keys(self, indices: Tensor) -> Tensor:
        """Return a (B, n) mask of each query's own row; -1 matches nothing.

        Args:
            indices: (B,) data set index of each query.
        """
        return indices[:, None] == torch.arange(self.length, device=indices.device)[None]

    def same_class(self, labels: Tensor) -> Tensor:
        """Return a (B, n) mask of the rows with each query's class; -1 matches nothing.

        Args:
            labels: (B,) class of each query.
        """
        return (labels[:, None] == self.labels[None]) & (labels[:, None] >= 0)

    @torch.no_grad()
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Move the rows of all ranks' images towards their features.

        Of an image that comes more than once, the last finite feature in rank order counts alone;
        where there is none, its row stays as it is.

        Args:
            features: (B_r, D) unit rows of this rank; B_r may differ between ranks.
            labels: (B_r,) class of each; None writes -1.
            indices: (B_r,) data set index of each.

        Raises:
            ValueError: Rows of another width, or an index that is missing or has no row.
        """
        indices = self.check_indices(indices)
        check_keys(self.dim, features, labels, indices)
        counts = row_counts(len(features), features.device)
        labels = self.labels.new_full((len(features),), -1) if labels is None else labels
        features, ids = gather_rows(features.float(), counts), gather_rows(indices, counts)
        labels = gather_rows(labels.to(self.labels), counts)
        # Writing the same row twice is left to chance on an accelerator, unless both are equal.
        finite = features.isfinite().all(1)
        place = torch.arange(len(ids), device=ids.device)
        last = (((ids[:, None] == ids[None]) & finite) * (place + 1)).amax(1) - 1
        written, last = last >= 0, last.clamp_min(0)
        mixed = self.features[ids].lerp(features[last], 1 - self.momentum)
        rows = torch.where(written[:, None], F.normalize(mixed, dim=1), self.features[ids])
        self.features.index_copy_(0, ids, rows)
        self.labels.index_copy_(0, ids, torch.where(written, labels[last], self.labels[ids]))
        self.indices.index_copy_(0, ids, torch.where(written, ids, self.indices[ids]))

    def check_indices(self, indices: Tensor | None) -> Tensor:
        """Return ``indices`` if every one of them has a row.

        Raises:
            ValueError: There are none, or one outside [0, length).
        """
        if indices is None:
            raise ValueError(
                'an instance bank needs the data set index of every sample, got none; use a data '
                'set that gives sample_idx.'
            )
        wrong = indices[(indices < 0) | (indices >= self.length)]
        if len(wrong):
            raise ValueError(
                f'the batch holds the sample {int(wrong[0])} but the instance bank has rows 0 to '
                f'{self.length - 1}; set length of the InstanceBank to the size of the data set.'
            )
        return indices
