"""Protocols: methods that hooks and algorithms call on the modules of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from torch import Generator, Tensor, nn

from mochi_mm.structures.data_facts import DataFacts
from mochi_mm.structures.head_step import HeadStep
from mochi_mm.structures.views import DataSamples, Views

if TYPE_CHECKING:
    from mochi_mm.randomness import StepKey
    from mochi_mm.structures.clustering import Clustering


@runtime_checkable
class TakesStep(Protocol):
    """A module that draws at random in a step."""

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; called before each iteration."""


@runtime_checkable
class TakesEpoch(Protocol):
    """A module that depends on the epoch."""

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch, counted from 0; called before the first iteration of each."""


@runtime_checkable
class TakesProgress(Protocol):
    """A module that depends on the progress of the run."""

    def set_progress(self, progress: float) -> None:
        """Set the share of the run's iterations that are done, in [0, 1]; before each iteration."""


@runtime_checkable
class TakesData(Protocol):
    """A module that depends on the training data."""

    def set_data(self, facts: DataFacts) -> None:
        """Set the facts of the training set; called once, before the first iteration.

        Raises:
            ValueError: They do not fit.
        """


@runtime_checkable
class TakesBatch(Protocol):
    """A module that not every batch is large enough for."""

    def check_batch(self, images: int, views: int) -> None:
        """Refuse the smallest batch of all ranks; called before the first iteration.

        Args:
            images: Images of all ranks in it.
            views: Views of each.

        Raises:
            ValueError: It is too small.
        """


@runtime_checkable
class TakesOrigin(Protocol):
    """A module whose rows are images of one data set."""

    def bind(self, origin: int) -> None:
        """Note the number, above 0, of the training set; called before the first iteration.

        Raises:
            ValueError: The rows are those of another one.
        """


@runtime_checkable
class TakesClusters(Protocol):
    """A module that works with clusters of the training images.

    Attributes:
        length: Rows, one for each image.
        num_clusters: k of each granularity.
        graded: Whether ``accept`` uses a share of the labels rather than all.
    """

    length: int
    graded: bool
    num_clusters: Sequence[int]

    def set_clusters(self, embeddings: Tensor, found: Sequence[Clustering]) -> None:
        """Take unit embeddings (n, D) of all images and a clustering for each granularity."""

    def accept(self, share: float) -> None:
        """Use the labels of this share of the images, the most confident ones."""

    def clusters(self) -> list[Tensor]:
        """Return the cluster (n,) of every image in each granularity, -1 where there is none."""

    def accepted(self) -> list[Tensor]:
        """Return the label (n,) in use of every image in each granularity, -1 for none."""


@runtime_checkable
class KeepsClusters(Protocol):
    """A module whose clusters follow its rows."""

    def upkeep(self, generator: Generator | None = None) -> dict[str, float]:
        """Move centroids, merge small clusters, refill empty ones; return figures to log."""


@runtime_checkable
class FollowsByAverage(Protocol):
    """An algorithm with an averaged encoder."""

    def update_ema(self) -> None:
        """Move the averaged encoder; called once after each optimizer step."""


@runtime_checkable
class LearnedSimilarity(Protocol):
    """A head that compares by a similarity of its own, which it learns."""

    def outputs(self, embeddings: Tensor) -> Tensor:
        """Return (N, K) what is compared, of raw embeddings (N, D)."""

    def similarity(self, rows: Tensor, candidates: Tensor) -> Tensor:
        """Return (A, M) the similarity of rows (A, K) and candidates (M, K)."""


@runtime_checkable
class StartsCopies(Protocol):
    """An algorithm with parts that start as copies of the trained encoder, or of layers of it.

    Attributes:
        copies: Names of these parts.
    """

    copies: tuple[str, ...]

    def reset_copies(self) -> None:
        """Make the copies; called once the trained encoder has been loaded by itself."""


@runtime_checkable
class Classifies(Protocol):
    """A head that says which class its features belong to."""

    tap: str

    def logits(self, features: Tensor) -> Tensor:
        """Return (B, classes) logits of the features (B, D) at ``tap``."""

    def predict(self, features: Tensor) -> Tensor:
        """Return (B, classes) probabilities of the features (B, D) at ``tap``."""


class Module(Protocol):
    """The methods of a torch module that are used, whatever its class."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters."""

    def state_dict(self) -> dict[str, Any]:
        """Return parameters and buffers by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Copy parameters and buffers."""

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set whether the parameters are trained."""

    def eval(self) -> Any:
        """Set evaluation mode."""


class Backbone(Module, Protocol):
    """A module that encodes images."""

    out_channels: int

    def __call__(self, images: Tensor) -> Tensor | Sequence[Tensor]:
        """Return feature maps, or pooled features, of images (B, C, H, W)."""


class Neck(Module, Protocol):
    """A module that projects features; a predictor is one as well."""

    in_channels: int
    out_channels: int

    def __call__(self, features: Tensor) -> Tensor:
        """Return raw embeddings (B, out_channels) of (B, in_channels)."""


@runtime_checkable
class EmbedsCells(Neck, Protocol):
    """A neck that embeds the cells of a feature map as well."""

    def embed_cells(self, cells: Tensor) -> Tensor:
        """Return raw embeddings (B, P, out_channels) of P cells (B, P, in_channels)."""


class Head(Protocol):
    """A module that turns features into losses and statistics."""

    takes: str
    tap: str

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch, on the host, whose labels or indices are not known."""


class ViewsHead(Head, Protocol):
    """A head that compares views."""

    def compute(self, views: Views) -> HeadStep:
        """Return losses, statistics and pending writes of raw features; nothing changes."""

    def loss_views(
        self,
        online: Mapping[int, Tensor],
        target: Mapping[int, Tensor] | None = None,
        data_samples: DataSamples | None = None,
        **features: Mapping[int, Tensor],
    ) -> dict[str, Tensor]:
        """Return losses and statistics, and write what outlives the step.

        A head with ``uses_features`` gets the backbone features that its tap is made of by view, as
        ``features`` and ``target_features``.
        """


class ClassifierHead(Head, Protocol):
    """A head that classifies features."""

    def loss(self, features: Tensor, data_samples: DataSamples | None) -> dict[str, Tensor]:
        """Return losses and statistics of (B, C) features."""

    def predict(self, features: Tensor) -> Tensor:
        """Return (B, classes) probabilities."""
