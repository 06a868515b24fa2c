"""One feature for each training image (Wu et al. 2018, InstDis; Tian et al. 2020, CMC)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.functional.unit_mixture import unit_mixture
from mochi_mm.models.memories.base_memory import BaseMemory
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataFacts
from mochi_mm.structures.known import check_integers


@MODELS.register_module()
class InstanceBank(BaseMemory):
    """Bank of moving averages: row i follows the features of image i of the data set.

    ``row = unit(ema_decay * row + (1 - ema_decay) * feature)``. A feature opposite to the row
    leaves nothing that has a direction: the row then stays as it is (:func:`unit_mixture`).

    Args:
        length: n, images of the data set; more rows are allowed, fewer are refused.
        dim: D, width of a feature.
        ema_decay: Weight of the old row, in [0, 1); 0.5 in the methods named above.
        init_seed: Seed of the rows that the bank starts from.

    Attributes:
        indices: (n,) int64, the row's own number once it has been written, -1 before.

    Raises:
        ValueError: A size below 1 or a weight out of range.

    >>> bank = InstanceBank(length=4, dim=2, ema_decay=0.0)
    >>> bank.enqueue(torch.tensor([[0.0, 1.0]]), indices=torch.tensor([2]))  # a feature of image 2
    >>> bank.features[2].tolist(), bank.held().tolist()
    ([0.0, 1.0], [False, False, True, False])
    """

    def __init__(
        self, length: int, dim: int = 128, ema_decay: float = 0.5, init_seed: int = 0
    ) -> None:
        super().__init__(length, dim, init_seed)
        if not 0 <= ema_decay < 1:
            raise ValueError(
                f'InstanceBank ema_decay is {ema_decay}; expected the weight of the old row, in '
                '[0, 1), such as 0.5.'
            )
        self.ema_decay = ema_decay

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'{super().extra_repr()}, ema_decay={self.ema_decay}'

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a data set with more images than rows; called before the first iteration.

        Raises:
            ValueError: There are more images than ``length``.
        """
        if facts.num_images > self.length:
            raise ValueError(
                f'the instance bank has {self.length} rows but the data set {facts.num_images} '
                'images; expected one row for each image: set length of the InstanceBank to '
                f'{facts.num_images}.'
            )

    def held(self) -> Tensor:
        """Return (n,) bool, rows that have been written."""
        return self.indices >= 0

    def own_keys(self, indices: Tensor) -> Tensor:
        """Return (B, n) bool, each query's own row, written or not; -1 matches nothing.

        Args:
            indices: (B,) data set index of each query.
        """
        return indices[:, None] == torch.arange(self.length, device=indices.device)[None]

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
        self.check_keys(features, labels, indices)
        counts = row_counts(len(features))
        if not sum(counts):
            return
        labels = self.labels.new_full((len(features),), -1) if labels is None else labels
        features = gather_rows(features.float(), counts)  # (M, D), M features of all ranks
        ids = gather_rows(indices, counts)  # (M,)
        labels = gather_rows(labels.to(self.labels), counts)  # (M,)
        # Writing the same row twice is left to chance on an accelerator, unless both are equal.
        finite = features.isfinite().all(1)  # (M,)
        place = torch.arange(len(ids), device=ids.device)  # (M,)
        # (M,) the last finite feature of the same image; -1 where there is none
        last = (((ids[:, None] == ids[None]) & finite) * (place + 1)).amax(1) - 1
        written, last = last >= 0, last.clamp_min(0)
        mixed = self.features[ids].lerp(features[last], 1 - self.ema_decay)  # (M, D)
        rows = unit_mixture(mixed, self.features[ids])  # (M, D)
        rows = torch.where(written[:, None], rows, self.features[ids])  # (M, D)
        self.features.index_copy_(0, ids, rows)
        self.labels.index_copy_(0, ids, torch.where(written, labels[last], self.labels[ids]))
        self.indices.index_copy_(0, ids, torch.where(written, ids, self.indices[ids]))

    def check_samples(self, samples: Mapping[str, Tensor]) -> None:
        """Refuse a batch with an image that has no row; called on the host's copy.

        Raises:
            ValueError: No ``sample_idx``, or one outside [0, length).
        """
        self.check_indices(samples.get('sample_idx'))

    def check_indices(self, indices: Tensor | None) -> Tensor:
        """Return ``indices`` if every one of them has a row.

        Values on an accelerator are not read, which would wait for it; :meth:`check_samples` has
        seen them before they were moved.

        Raises:
            ValueError: There are none, no integers (B,), or one outside [0, length).
        """
        if indices is None:
            raise ValueError(
                'an instance bank needs the data set index of every sample, got none; use a data '
                'set that gives sample_idx.'
            )
        check_integers('sample_idx', indices)
        if indices.device.type != 'cpu':
            return indices
        wrong = indices[(indices < 0) | (indices >= self.length)]
        if len(wrong):
            raise ValueError(
                f'the batch holds the sample {int(wrong[0])} but the instance bank has rows 0 to '
                f'{self.length - 1}; set length of the InstanceBank to the size of the data set.'
            )
        return indices
