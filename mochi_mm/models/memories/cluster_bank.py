"""A bank of all images with a pseudo-label for each, which follows its features (InterCLR)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.models.functional.cluster_upkeep import (
    cluster_means,
    cluster_sizes,
    merge_small,
    refill_empty,
)
from mochi_mm.models.functional.unit_mixture import unit_mixture
from mochi_mm.models.memories.instance_bank import InstanceBank
from mochi_mm.models.memories.pseudo_labels import bind, check_granularities
from mochi_mm.registry import MODELS
from mochi_mm.structures.clustering import Clustering
from mochi_mm.utils.checks import check_integer


@MODELS.register_module()
class ClusterBank(InstanceBank):
    """An :class:`InstanceBank` whose labels are clusters: each row is in the nearest one.

    :class:`PseudoLabelHook` starts rows, labels and centroids from one clustering. Then every row
    that is written gets a new label, and :class:`ClusterUpkeepHook` moves the centroids, merges
    small clusters and refills empty ones. Source: Xie et al., Delving into Inter-Image Invariance
    for Unsupervised Visual Representations, IJCV 2022, by its code in mmselfsup 0.x.

    Args:
        length: n, images of the data set.
        num_clusters: k, in [2, n].
        dim: D, width of a feature.
        ema_decay: Weight of the old row, in [0, 1); 0 there.
        min_size: Least rows of a cluster; all of them must find as many. None takes 20, the
            authors' number, or all there are where images are few.
        init_seed: Seed of the rows that the bank starts from.

    Attributes:
        labels: (n,) int64 cluster of each row, -1 before there are clusters.
        centroids: (k, D) float32 unit rows; 0 before there are clusters.
        classes: (n,) int64 label of each row's image in the data set, -1 if unknown: for statistics
            alone.

    Raises:
        ValueError: A setting out of range.

    >>> from mochi_mm.structures.clustering import Clustering
    >>> bank = ClusterBank(length=4, num_clusters=2, dim=2)
    >>> start = Clustering(torch.tensor([0, 0, 1, 1]), torch.ones(4), torch.eye(2))
    >>> bank.set_clusters(torch.eye(2).repeat_interleave(2, 0), [start])
    >>> bank.enqueue(torch.tensor([[0.0, 1.0]]), indices=torch.tensor([0]))
    >>> bank.labels.tolist()
    [1, 0, 1, 1]
    """

    graded = False
    centroids: Tensor
    classes: Tensor
    origin: Tensor

    def __init__(
        self,
        length: int,
        num_clusters: int = 10000,
        dim: int = 128,
        ema_decay: float = 0.0,
        min_size: int | None = None,
        init_seed: int = 0,
    ) -> None:
        super().__init__(length, dim, ema_decay, init_seed)
        self.num_clusters = check_granularities([num_clusters], length)
        if min_size is None:
            min_size = min(20, length // num_clusters)
        self.min_size = check_integer('ClusterBank min_size', min_size, 20)
        if min_size * num_clusters > length:
            raise ValueError(
                f'ClusterBank min_size is {min_size} and num_clusters is {num_clusters}, which '
                f'needs {min_size * num_clusters} rows of {length}, so clusters would be merged '
                'until few are left; lower one of them.'
            )
        self.register_buffer('centroids', torch.zeros(num_clusters, dim))
        self.register_buffer('classes', torch.full((length,), -1, dtype=torch.int64))
        self.register_buffer('origin', torch.full((), -1, dtype=torch.int64))

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'{super().extra_repr()}, num_clusters={self.num_clusters[0]}'

    @torch.no_grad()
    def bind(self, origin: int) -> None:
        """Note which data set the clusters are of.

        Raises:
            ValueError: There are clusters of another one.
        """
        bind(self.origin, origin)

    def clusters(self) -> list[Tensor]:
        """Return the cluster (n,) of every row, alone in a list."""
        return [self.labels]

    def accepted(self) -> list[Tensor]:
        """Return the same: every label is in use."""
        return [self.labels]

    def accept(self, share: float) -> None:
        """Use every label, whatever the share."""

    @torch.no_grad()
    def set_clusters(self, embeddings: Tensor, found: Sequence[Clustering]) -> None:
        """Start anew from embeddings of all images and one clustering of them.

        Args:
            embeddings: (n, D) unit rows, in the order of the data set.
            found: The clustering, alone in a list.

        Raises:
            ValueError: Embeddings of another width or number.
        """
        if embeddings.shape[1] != self.dim or len(embeddings) > self.length:
            raise ValueError(
                f'embeddings of shape {tuple(embeddings.shape)} for a ClusterBank with '
                f'{self.length} rows of width {self.dim}; expected such rows: set tap of the '
                'PseudoLabelHook to what the head is given, and dim and length of the bank.'
            )
        count = len(embeddings)
        self.features[:count].copy_(embeddings)
        self.labels[:count].copy_(found[0].labels)
        self.indices[:count].copy_(torch.arange(count, device=self.indices.device))
        self.centroids.copy_(found[0].centroids)

    def assign(self, rows: Tensor) -> Tensor:
        """Return the nearest cluster (B,) of unit rows (B, D), -1 before there are clusters."""
        nearest = (rows @ self.centroids.T).argmax(1)
        return torch.where((self.centroids != 0).any(), nearest, -1)

    def moved(self, features: Tensor, indices: Tensor) -> Tensor:
        """Return the rows (B, D) of images as they will be once their features are written."""
        old = self.features[indices]
        return unit_mixture(old.lerp(features, 1 - self.ema_decay), old)

    @torch.no_grad()
    def enqueue(
        self, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> None:
        """Move the rows of all ranks' images towards their features, and label them anew.

        Args:
            features: (B_r, D) unit rows of this rank; B_r may differ between ranks.
            labels: (B_r,) label of each in the data set, kept for statistics; None for unknown.
            indices: (B_r,) data set index of each.

        Raises:
            ValueError: Rows of another width, or an index that is missing or has no row.
        """
        indices = self.check_indices(indices)
        super().enqueue(features, None, indices)
        counts = row_counts(len(indices))
        ids = gather_rows(indices, counts)  # (M,)
        self.labels.index_copy_(0, ids, self.assign(self.features[ids]))
        if labels is not None:
            self.classes.index_copy_(0, ids, gather_rows(labels.to(self.classes), counts))

    @torch.no_grad()
    def upkeep(self, generator: torch.Generator | None = None) -> dict[str, float]:
        """Move the centroids to their members, merge small clusters, refill empty ones.

        It waits for an accelerator. The same on all ranks, which hold the same rows.

        Args:
            generator: The same on all ranks.

        Returns:
            ``merged`` and ``refilled``: rows that were relabeled by either; ``empty``: clusters;
            ``largest``: share of the rows.
        """
        k = self.num_clusters[0]
        centroids = cluster_means(self.features, self.labels, self.centroids)
        merged = merge_small(self.features, self.labels, centroids, self.min_size)
        filled = refill_empty(self.features, merged, k, self.min_size, generator)
        changed = [int((merged != self.labels).sum()), int((filled != merged).sum())]
        self.labels.copy_(filled)
        self.centroids.copy_(cluster_means(self.features, filled, centroids))
        sizes = cluster_sizes(filled, k)
        return dict(
            merged=float(changed[0]),
            refilled=float(changed[1]),
            empty=float((sizes == 0).sum()),
            largest=float(sizes.max()) / max(int(sizes.sum()), 1),
        )
