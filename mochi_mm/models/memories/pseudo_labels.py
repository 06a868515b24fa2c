"""Pseudo-labels of a data set, at several granularities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.argument_kinds import is_integer
from mochi_mm.models.functional.clusters import most_confident
from mochi_mm.models.memories.sample_table import SampleTable
from mochi_mm.registry import MODELS
from mochi_mm.structures.clustering import Clustering
from mochi_mm.utils.checks import check_integer, check_share


@MODELS.register_module()
class PseudoLabels(nn.Module):
    """A :class:`SampleTable` for each granularity: cluster, confidence, and the accepted label.

    :class:`PseudoLabelHook` writes them. Until it has, and for an image whose label is not
    accepted, the label is -1, which matches nothing. All state is in persistent buffers, the same
    on every rank.

    Args:
        length: n, images of the data set.
        num_clusters: k of each granularity, in [2, n].
        largest: A cluster that holds more than this share of all images says nothing: its labels
            are not accepted. In (0, 1]; 1 accepts any.

    Attributes:
        tables: The tables, in the order of ``num_clusters``.
        origin: () int64, a number of the data set that was clustered; -1 before.

    Raises:
        ValueError: No granularity, one out of its range, or a ``largest`` out of its own.

    >>> from mochi_mm.structures.clustering import Clustering
    >>> labels = PseudoLabels(length=4, num_clusters=[2])
    >>> cluster, confidence = torch.tensor([0, 0, 1, 1]), torch.tensor([0.9, 0.6, 0.7, 0.8])
    >>> labels.set_clusters(torch.eye(4), [Clustering(cluster, confidence, torch.eye(4)[:2])])
    >>> labels.accept(0.5)
    >>> labels.tables[0].label.tolist()
    [0, -1, -1, 1]
    """

    graded = True
    origin: Tensor

    def __init__(
        self, length: int, num_clusters: Sequence[int] = (100,), largest: float = 0.5
    ) -> None:
        super().__init__()
        self.length = check_integer('PseudoLabels length', length, 50000)
        self.num_clusters = check_granularities(num_clusters, length)
        self.largest = check_share('PseudoLabels largest', largest, 0.5)
        if largest * length < 2:
            raise ValueError(
                f'PseudoLabels largest is {largest!r} of {length} images, so a cluster of two '
                'would be too large and no label ever accepted; expected at least '
                f'{2 / length:.2g}, such as 0.5.'
            )
        columns = ('label', 'confidence', 'cluster')
        self.tables = nn.ModuleList(SampleTable(length, columns) for _ in self.num_clusters)
        self.register_buffer('origin', torch.full((), -1, dtype=torch.int64))

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'num_clusters={self.num_clusters}, largest={self.largest}'

    @torch.no_grad()
    def bind(self, origin: int) -> None:
        """Note which data set the clusters are of.

        Args:
            origin: A number of the data set, above 0.

        Raises:
            ValueError: There are clusters of another one.
        """
        bind(self.origin, origin)

    def look_up(self, number: int, indices: Tensor) -> Tensor:
        """Return the accepted labels (M,) of the images ``indices`` (M,) in one granularity.

        Args:
            number: Which one.
            indices: Data set index of each; -1 has the label -1.
        """
        return self._table(number).look_up('label', indices)

    def clusters(self) -> list[Tensor]:
        """Return the cluster (n,) of every image in each granularity, accepted or not."""
        return [self._table(i).get_buffer('cluster') for i in range(len(self.num_clusters))]

    def accepted(self) -> list[Tensor]:
        """Return the label (n,) of every image in each granularity, -1 where it is not accepted."""
        return [self._table(i).get_buffer('label') for i in range(len(self.num_clusters))]

    @torch.no_grad()
    def set_clusters(self, embeddings: Tensor, found: Sequence[Clustering]) -> None:
        """Replace the clusters; labels stay what they are until :meth:`accept`.

        Args:
            embeddings: Not used.
            found: A clustering of all images for each granularity, the same on every rank.
        """
        for number, clustering in enumerate(found):
            table = self._table(number)
            table.get_buffer('cluster').copy_(clustering.labels)
            table.get_buffer('confidence').copy_(clustering.confidence)

    @torch.no_grad()
    def accept(self, share: float) -> None:
        """Accept the labels of the most confident images in clusters that fit, and no others.

        Args:
            share: Of all images, in [0, 1].
        """
        for number, k in enumerate(self.num_clusters):
            table = self._table(number)
            cluster = table.get_buffer('cluster')
            known = cluster >= 0
            sizes = torch.bincount(cluster[known], minlength=k)  # (k,)
            fits = sizes[cluster.clamp_min(0)] <= self.largest * self.length  # (n,)
            usable = known & fits
            ranked = table.get_buffer('confidence').masked_fill(~usable, -torch.inf)
            taken = most_confident(ranked, share) & usable
            table.get_buffer('label').copy_(torch.where(taken, cluster, -1))

    def _table(self, number: int) -> SampleTable:
        table = self.tables[number]
        if not isinstance(table, SampleTable):
            raise TypeError(f'{type(table).__name__} is no SampleTable; expected one.')
        return table


def bind(held: Tensor, origin: int, what: str = 'pseudo-labels') -> None:
    """Write the number of a data set into a buffer () that holds none yet.

    Raises:
        ValueError: It holds another one.
    """
    if int(held) not in (-1, origin):
        raise ValueError(
            f'the {what} are of another data set (its number is {int(held)}, that of the training '
            f'images {origin}), so row i is another image; expected {what} of the same images in '
            'the same order: train on those, or start without these weights of the head, such as '
            "with load_partial=['backbone', 'neck']."
        )
    held.fill_(origin)


def check_granularities(num_clusters: Any, length: int) -> tuple[int, ...]:
    """Return the numbers of clusters if images can be told apart by each.

    Raises:
        ValueError: There is none, or one below 2 or above ``length``.
    """
    if not isinstance(num_clusters, (list, tuple)) or not num_clusters:
        raise ValueError(
            f'num_clusters is {num_clusters!r}; expected a list with the number of clusters of '
            'each granularity, such as [100].'
        )
    for k in num_clusters:
        if not is_integer(k) or not 2 <= k <= length:
            raise ValueError(
                f'num_clusters holds {k!r} for {length} images; expected integers from 2 (one '
                f'cluster says nothing) to {length}: set num_clusters accordingly.'
            )
    return tuple(num_clusters)
