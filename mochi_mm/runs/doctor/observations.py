"""What a checkpoint does with a few batches of its training images."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Leak:
    """Contrastive accuracy of the same queries with keys of two kinds, against the memory.

    Attributes:
        together: Share of queries whose key, normalized as in training, is their nearest.
        apart: The same with keys normalized in batches of other images.
        only_together: Queries right with the former alone.
        only_apart: Queries right with the latter alone.
        queries: Number of queries.
    """

    together: float
    apart: float
    only_together: int
    only_apart: int
    queries: int

    @property
    def deviations(self) -> float:
        """Return the difference in standard deviations of chance (McNemar)."""
        changed = self.only_together + self.only_apart
        return (self.only_together - self.only_apart) / max(1, changed) ** 0.5


@dataclass(frozen=True)
class MinedDuplicates:
    """Near-duplicates among the hardest negatives.

    Attributes:
        queries: Queries with at least one negative whose image is known.
        queries_with: Those with a near-duplicate among their hardest negatives.
        pairs: Pairs of a query and one of its hardest negatives.
        pairs_near: Those that are near-duplicates.
        hardest: Negatives that were looked at for each query.
    """

    queries: int
    queries_with: int
    pairs: int
    pairs_near: int
    hardest: int


@dataclass(frozen=True)
class Observations:
    """Measures of one checkpoint on some training images.

    Attributes:
        source: Name of the checkpoint.
        images: Images that were looked at.
        dataset_size: Images of the data set.
        identical: Share of pairs of views of an image that are the same picture; None for none.
        ranks: Effective rank, width and number of rows of a layer, by its name.
        leak: Test of the batch norms, None where it is not possible.
        mined: Near-duplicates among the hardest negatives, None where it is not possible.
        missing: Why one of them is None, by its name.
    """

    source: str
    images: int
    dataset_size: int
    identical: float | None = None
    ranks: dict[str, tuple[float, int, int]] = field(default_factory=dict)
    leak: Leak | None = None
    mined: MinedDuplicates | None = None
    missing: dict[str, str] = field(default_factory=dict)
