"""DenseCL: each cell of a feature map is told from the memory by the cell that it matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from mochi_mm.models.blocks.cell_anchors import cell_anchors
from mochi_mm.models.blocks.check_cell_views import check_cell_views
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.key_writes import key_writes
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, HeadStep, Views
from mochi_mm.structures.cell_anchors import CellAnchors
from mochi_mm.structures.features import CELLS
from mochi_mm.structures.head_step import Write


@dataclass(frozen=True)
class _CellViews(Views):
    """Views whose rows are cells; ``pooled`` are the keys of whole images, unit rows (B, D)."""

    pooled: Mapping[int, Tensor] = field(default_factory=dict)


@MODELS.register_module()
class DenseContrastiveHead(BaseContrastiveHead):
    """InfoNCE of the cells of a feature map (DenseCL), to stand beside a head on whole images.

    A query cell's own key is the embedding of the key's cell that its backbone features are nearest
    to, by cosine, without gradient. Negatives are a memory of its own, of past images: of each key
    the mean of its raw cell embeddings, then scaled to unit length, is written. Mixing, masks and
    screens act on the rows of that memory, for each cell. The neck has to embed cells, as
    :class:`DenseCLNeck` does. The paper's ``(1 - l) global + l dense`` is ``weight=1 - l`` of the
    head of the model and ``weight=l`` of this one under ``heads``.
    Source: Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, CVPR
    2021, as the authors' code has it.

    Args:
        memory: The memory, as a config or a module.
        temperature: Divides every cosine, > 0; None takes 0.2.
        tap: ``cells``.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: Another tap, or what :class:`BaseContrastiveHead` refuses.

    >>> import torch
    >>> from mochi_mm.models.memories import FeatureQueue
    >>> head = DenseContrastiveHead(FeatureQueue(length=64, dim=16), mixing=dict(num_hard=8))
    >>> query, key = torch.randn(2, 4, 49, 16).requires_grad_()  # 4 images, maps of 7 x 7
    >>> maps = torch.rand(2, 4, 49, 32)  # of the backbone, behind them
    >>> losses = head.loss_views({0: query}, {1: key}, {}, {0: maps[0]}, {1: maps[1]})
    >>> losses['loss_contrast'].backward()
    >>> int(head.memory.count)  # one key for each image
    4
    """

    with_memory = True
    uses_features = True

    def __init__(
        self,
        memory: dict | nn.Module | None = None,
        temperature: float | None = None,
        tap: str = CELLS,
        **kwargs: Any,
    ) -> None:
        if tap != CELLS:
            raise ValueError(
                f"tap is {tap!r}; DenseContrastiveHead compares cells: expected 'cells', or leave "
                'it out. For whole images take ContrastiveHead.'
            )
        super().__init__(memory, temperature, tap=tap, **kwargs)

    def compute(self, views: Views) -> HeadStep:
        """Return losses, statistics and pending writes of raw embeddings (B, P, D) of cells.

        ``share_same_cell`` is the share of query cells whose own key has the same place in its map.
        """
        step = super().compute(views)
        if not isinstance(step.anchors, CellAnchors):
            return step
        same = (step.anchors.match == step.anchors.cell).float().mean()
        return replace(step, statistics=dict(step.statistics, share_same_cell=same))

    def check_views(self, views: Views) -> None:
        """Refuse cells whose shapes do not fit."""
        if self.memory is not None:
            check_cell_views(views, self.memory.dim)
        self.check_view_numbers(list(views.online), list(views.target))

    def normalize(self, views: Views) -> Views:
        """Return float32 unit rows of the cells, and those of the images that are enqueued."""
        found = super().normalize(views)
        # Lengths count in the mean: it is taken of raw embeddings.
        pooled = {v: unit_rows(cells.detach().float().mean(1)) for v, cells in views.target.items()}
        features = (views.features, views.target_features)
        return _CellViews(found.online, found.target, found.samples, *features, pooled=pooled)

    def anchors(self, views: Views) -> Anchors:
        """Return a query for each cell, with the cell that it matches as own key."""
        return cell_anchors(views)

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks as they are: the matched cells alone attract."""
        return blocks

    def writes(self, views: Views) -> tuple[Write, ...]:
        """Return the write of the mean cell of every key, with label and index."""
        if isinstance(views, _CellViews):
            views = replace(views, target=views.pooled)
        return key_writes(self.memory, views, self.label_key)
