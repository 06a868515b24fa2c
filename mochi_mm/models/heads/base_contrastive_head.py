"""The step of every contrastive objective, from embeddings to losses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.distributed.rows import mean_over_ranks
from mochi_mm.models.blocks import (
    batch_block,
    image_anchors,
    own_keys_block,
    pair_anchors,
)
from mochi_mm.models.blocks.check_views import check_image_views, check_pair_views
from mochi_mm.models.blocks.own_keys import cosines_of_pairs
from mochi_mm.models.estimators import NegativeEstimator
from mochi_mm.models.finders import FalseNegativeRemoval
from mochi_mm.models.finders.negative_threshold import NegativeThreshold
from mochi_mm.models.functional.chance_level import chance_level, mean_chance
from mochi_mm.models.functional.contrast_blocks import attracted, contrast_blocks
from mochi_mm.models.functional.found_statistics import found_statistics
from mochi_mm.models.functional.statistics import (
    batch_statistics,
    key_statistics,
    mean_positive,
    mixing_statistics,
    pushing_of,
)
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.heads.build_part import build_optional
from mochi_mm.models.heads.check_memory import check_memory
from mochi_mm.models.heads.check_needed import check_needed
from mochi_mm.models.heads.check_parts import check_parts
from mochi_mm.models.heads.key_writes import key_writes
from mochi_mm.models.heads.masked_memory import masked_memory
from mochi_mm.models.heads.screen import screen
from mochi_mm.models.memories import BaseMemory, SampleTable
from mochi_mm.models.mixers.hard_negative_mixing import HardNegativeMixing
from mochi_mm.randomness import StepKey
from mochi_mm.structures import Anchors, Block, DataSamples, HeadStep, Mixed, Views
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.known import check_lengths, check_optional, require_known
from mochi_mm.utils.checks import check_number, check_temperature


class BaseContrastiveHead(BaseModule):
    """Base class of contrastive heads: embeddings in, losses and statistics out, memories last.

    :meth:`compute` is the step, in the order in which it happens. A subclass says which candidates
    there are (:meth:`blocks`), which of them attract (:meth:`positives`) and, where it differs, the
    equation (:meth:`objective`). With a memory, a query is told from its own keys and the memory
    holds the negatives; without, every view of the batch is an anchor and the batch is its own set
    of candidates.

    Args:
        memory: The memory, as a config or a module; None takes the batch.
        temperature: Divides every similarity, > 0; None takes 0.1 in the batch, as SimCLR, and 0.2
            with a memory, as MoCo-v2.
        weight: Factor on the loss, > 0.
        mixing: A :class:`HardNegativeMixing`, as a config or a module; None mixes nothing.
        negatives: A :class:`NegativeEstimator`, as a config or a module, which acts on what the
            objective pushes from; None leaves the candidates as they are.
        removal: A :class:`FalseNegativeRemoval`, as a config or a module; None removes nothing.
        threshold: A :class:`NegativeThreshold`, as a config or a module, which leaves out the most
            similar negatives of each image; None leaves none out.
        label_key: Name of the labels among the data samples.
        table: A :class:`SampleTable` whose labels take the place of ``label_key``, those of the
            memory's rows included.
        mask_own_keys: Never push a query from an older key of the same image (with a memory; needs
            ``sample_idx`` in the data samples).
        oracle_loss: Leave negatives of the query's own class out of the loss (with a memory; needs
            labels).
        oracle_mix: Keep negatives of the query's own class out of the mixing (with a memory; needs
            labels).
        tap: Features that the head is given: ``predictor`` (the embedding behind the neck, and the
            predictor where there is one), ``neck`` or ``backbone``.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A setting out of range, or one that has nothing to act on.
    """

    #: Whether the head works with a memory: None for either way.
    with_memory: bool | None = None
    #: Views of each image that the objective needs at least, and can compare at most.
    min_views: int = 2
    max_views: int | None = None
    #: Whether anchors without a positive count in the mean, with the loss 0.
    count_all = False
    #: Whether every sample needs a label.
    needs_labels = False
    #: Whether the objective takes the backbone features beside the embeddings.
    uses_features = False
    #: Whether the objective can be given an estimate in the place of its negatives.
    estimable = True
    #: Why false negatives cannot be removed; '' where they can.
    not_removable = ''
    #: Whether every anchor is a view of an image, so that a threshold for each image can be kept.
    anchors_are_images = True
    #: The least value of :meth:`similarity`; None is that of cosines, -1.
    least_similarity: float | None = None
    #: Takes ``views`` of the trained encoder, or ``pairs`` with the averaged one; '': the latter
    #: with a memory.
    takes = ''

    def __init__(
        self,
        memory: dict | nn.Module | None = None,
        temperature: float | None = None,
        weight: float = 1.0,
        mixing: dict | nn.Module | None = None,
        negatives: dict | nn.Module | None = None,
        removal: dict | nn.Module | None = None,
        threshold: dict | nn.Module | None = None,
        label_key: str = 'gt_label',
        table: dict | nn.Module | None = None,
        mask_own_keys: bool = False,
        oracle_loss: bool = False,
        oracle_mix: bool = False,
        tap: str = 'predictor',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if temperature is None:
            temperature = 0.1 if memory is None else 0.2
        self.temperature = check_temperature(temperature)
        self.weight = check_number(f'{type(self).__name__} weight', weight, 1.0)
        self.label_key, self.tap, self.mask_own_keys = label_key, tap, mask_own_keys
        self.oracle_loss, self.oracle_mix = oracle_loss, oracle_mix
        self.memory = build_optional(memory, BaseMemory)  # type: ignore[type-abstract]
        self.table = build_optional(table, SampleTable)
        masks = dict(mask_own_keys=mask_own_keys, oracle_loss=oracle_loss, oracle_mix=oracle_mix)
        check_memory(type(self).__name__, self.memory, self.with_memory, masks)
        self.takes = self.takes or ('views' if self.memory is None else 'pairs')
        if mixing is None and self.memory is not None:
            mixing = dict(type='HardNegativeMixing')  # without mixers: for the statistics alone
        self.mixing = build_optional(mixing, HardNegativeMixing)
        if self.mixing is not None and self.memory is not None:
            self.mixing.fit(self.memory.length)
        self.negatives = build_optional(negatives, NegativeEstimator)
        self.removal = build_optional(removal, FalseNegativeRemoval)
        self.threshold = build_optional(threshold, NegativeThreshold)
        check_parts(self)

    # The step.

    def compute(self, views: Views) -> HeadStep:
        """Return losses, statistics and pending writes; the head stays as it is.

        Args:
            views: Raw embeddings.

        Raises:
            ValueError: Views, widths, labels or indices that the head cannot work with.
        """
        self.check_views(views)
        check_lengths(views.samples, views.num_images)
        self.check_samples(views.samples)
        device = next(iter(views.online.values())).device
        with torch.autocast(device.type, enabled=False):
            views = self.normalize(views)
            anchors = self.anchors(views)
            blocks = self.blocks(anchors, views)
            blocks = self.positives(anchors, blocks, views)
            blocks, learned, removed = screen(self, anchors, blocks)
            mixed, synthetic = self.mix(anchors, blocks)
            blocks = [*blocks, *synthetic]
            seen, estimated = self.estimate(blocks)
            per_anchor = self.objective(anchors, seen)
            counted = attracted(blocks) if anchors.keys is None else None
            mean = mean_over_ranks(per_anchor, None if self.count_all else counted)
            losses = dict(loss_contrast=self.weight * mean)
            with torch.no_grad():
                statistics = self.statistics(blocks, mixed, counted) | removed | estimated
                level = mean_chance(self.chance_level(anchors, blocks), counted, self.count_all)
                statistics['chance_level'] = self.weight * level
        writes = (*self.writes(views), *learned)
        return HeadStep(losses, statistics, writes, anchors, tuple(blocks), mixed)

    def loss_views(
        self,
        online: Mapping[int, Tensor],
        target: Mapping[int, Tensor] | None = None,
        data_samples: DataSamples | None = None,
        features: Mapping[int, Tensor] | None = None,
        target_features: Mapping[int, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Return losses and statistics of the views of a batch, then write the memory.

        Args:
            online: (B, D) raw embeddings of the trained encoder by the number of their view, with
                gradient.
            target: (B, D) raw embeddings of the averaged encoder by the number of their view, with
                a memory; a query meets the keys of the other views, and each is enqueued once.
            data_samples: Tensors (B,) by name: labels, ``sample_idx``.
            features: (B, C) backbone features of the trained encoder by the number of their view,
                for heads with ``uses_features``.
            target_features: The same of the averaged encoder.

        Returns:
            Scalars: names with ``loss`` in them are optimized, the others logged.
        """
        more = (data_samples or {}, features or {}, target_features or {})
        step = self.compute(Views(online, target or {}, *more))
        step.commit()
        return step.results()

    def loss(
        self,
        online: Tensor,
        target: Tensor | DataSamples | None = None,
        data_samples: DataSamples | None = None,
    ) -> dict[str, Tensor]:
        """Return losses and statistics of one batch, then write the memory.

        ``loss(query, key, data_samples)`` with a memory, ``loss(features, data_samples)`` without.

        Args:
            online: With a memory, (B, D) raw embeddings with gradient, the queries; without,
                (B, V, D), V views of each image.
            target: (B, D) raw embeddings of the other view, the keys.
            data_samples: Tensors (B,) by name: labels, ``sample_idx``.
        """
        if isinstance(target, Mapping):
            target, data_samples = None, target
        if target is not None:
            return self.loss_views({0: online}, {1: target}, data_samples)
        if online.ndim != 3:
            raise ValueError(
                f'embeddings of shape {tuple(online.shape)}; {type(self).__name__} takes (images, '
                'views, width) without a memory, and queries and keys (images, width) with one.'
            )
        return self.loss_views(dict(enumerate(online.unbind(1))), None, data_samples)

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step, in a loop without hooks."""
        if self.mixing is not None:
            self.mixing.set_step(step_key)

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch, in a loop without hooks."""
        for part in (self.mixing, self.negatives, self.removal, self.threshold):
            if part is not None:
                part.set_epoch(epoch, max_epochs)

    # The parts of the step.

    def normalize(self, views: Views) -> Views:
        """Return the views as float32 unit rows; keys are constants."""
        online = {view: unit_rows(rows) for view, rows in views.online.items()}
        target = {view: unit_rows(rows.detach()) for view, rows in views.target.items()}
        return Views(online, target, views.samples, views.features)

    @property
    def takes_cosines(self) -> bool:
        """Return whether the head compares by cosines, not by a :meth:`similarity` of its own."""
        return type(self).similarity is BaseContrastiveHead.similarity

    def similarity(self, rows: Tensor, candidates: Tensor) -> Tensor:
        """Return the similarity (A, M) of rows (A, D) and candidates (M, D): here, cosines."""
        return rows @ candidates.T

    def similarity_of_pairs(self, rows: Tensor, candidates: Tensor) -> Tensor:
        """Return the similarity (A,) of each row (A, D) and the candidate beside it, (A, D)."""
        if self.takes_cosines:
            return cosines_of_pairs(rows, candidates)
        return self.similarity(rows, candidates).diagonal()

    def anchors(self, views: Views) -> Anchors:
        """Return the anchors: every view, or one query for each pair of query and key."""
        return image_anchors(views) if self.memory is None else pair_anchors(views)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the candidates: the batch, or the own keys and the memory."""
        if self.memory is None:
            labels = self.labels(anchors.samples) if self.needs_labels else None
            return [batch_block(anchors, self.similarity, labels)]
        own = own_keys_block(anchors, self.similarity_of_pairs)
        return [own, self.memory_block(anchors, self.memory)]

    def memory_block(self, anchors: Anchors, memory: BaseMemory) -> Block:
        """Return the memory's block, without own older keys and rows that an oracle leaves out."""
        return masked_memory(self, anchors, memory)

    @abstractmethod
    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks with their positives marked and without candidates that must not push.

        Args:
            anchors: Rows that are compared with the candidates.
            blocks: From :meth:`blocks`; the own keys pull already.
            views: Unit rows of all views.
        """

    def mix(self, anchors: Anchors, blocks: Sequence[Block]) -> tuple[Mixed | None, list[Block]]:
        """Return the mixtures, or None, and the block of synthetic negatives, or none."""
        return (None, []) if self.mixing is None else self.mixing(anchors.rows, blocks)

    def estimate(self, blocks: Sequence[Block]) -> tuple[list[Block], dict[str, Tensor]]:
        """Return the blocks as the objective sees them, and statistics of the estimate."""
        if self.negatives is None:
            return list(blocks), {}
        least = -1.0 if self.least_similarity is None else self.least_similarity
        return self.negatives(blocks, self.temperature, least)

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor; 0 for one without a positive."""
        return contrast_blocks(blocks, self.temperature)

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the figures logged beside the loss; accuracies and shares are in [0, 1].

        Args:
            blocks: Candidates, the synthetic negatives last.
            mixed: Hard negatives and what was mixed; None where nothing can be.
            counted: (A,) bool, anchors with a positive; None where each has an own key.
        """
        first = blocks[0]
        pushing = [self.pushing(b) for b in blocks if b.name not in ('own', 'synthetic')]
        own = first.similarity if first.name == 'own' else mean_positive(first)
        stats = key_statistics(own, pushing)
        if counted is not None:
            stats = batch_statistics(first, counted)
        if mixed is not None:
            stats.update(mixing_statistics(own, pushing, mixed))
        if self.memory is not None:
            stats['queue_fill'] = self.memory.fill()
        for found in (block for block in blocks if block.false_negative is not None):
            stats.update(found_statistics(found))
        return stats

    def pushing(self, block: Block) -> Tensor:
        """Return (A, M) the similarity of the negatives, -inf elsewhere, for the statistics."""
        return pushing_of(block)

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the value of :meth:`objective` where all similarities are equal."""
        return chance_level(blocks)

    def writes(self, views: Views) -> tuple[Write, ...]:
        """Return the writes made after the loss: every key once, with label and index."""
        return key_writes(self.memory, views, self.label_key)

    # What the head needs.

    def labels(self, samples: DataSamples, reason: str = '') -> Tensor:
        """Return the labels (B,) of samples, from the table where there is one.

        Raises:
            ValueError: One that is needed is not known.
        """
        known = self.known(samples, reason or type(self).__name__)
        return known if self.table is None else self.table.look_up('label', known)

    def check_views(self, views: Views) -> None:
        """Refuse views whose numbers or shapes do not fit.

        Raises:
            ValueError: They do not.
        """
        if self.takes == 'views':
            check_image_views(views, type(self).__name__, self.min_views)
        else:
            check_pair_views(views, None if self.memory is None else self.memory.dim)
        self.check_view_numbers(list(views.online), list(views.target))

    def check_view_numbers(self, online: Sequence[int], target: Sequence[int]) -> None:
        """Refuse numbers of views that the objective cannot use; here none.

        Args:
            online: Numbers of the views that the trained encoder sees.
            target: Numbers of the views that the averaged encoder sees.
        """

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch whose labels or indices are needed and not known.

        The data preprocessor calls it before the batch is moved to the device; values on an
        accelerator are not read.

        Raises:
            ValueError: Something that a setting needs is missing or -1.
        """
        check_needed(self, samples)
        if self.memory is not None:
            check_optional(samples, self.label_key, 'sample_idx')
            self.memory.check_samples(samples)

    def known(self, samples: DataSamples, reason: str) -> Tensor:
        """Return the labels (B,), or with a table the indices that stand for them; refuse -1."""
        name = self.label_key if self.table is None else 'sample_idx'
        return require_known(samples, name, reason)
