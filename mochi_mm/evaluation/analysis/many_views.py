"""Embeddings of many views of some images, as LiDAR compares them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mochi_mm.distributed.rows import gather_rows, world_size
from mochi_mm.evaluation.analysis.view_batches import other_views
from mochi_mm.utils.progress import progress_bar


def many_views(
    model: Any,
    views: DataLoader,
    images: int,
    number: int,
    layers: Sequence[str],
    progress: bool = True,
) -> dict[str, Tensor]:
    """Return, by layer, the features (n, q, C) of q training views of n images; all ranks the same.

    Args:
        model: A bare algorithm, in evaluation mode.
        views: Loader of the training views of images, from ``view_batches``.
        images: n; fewer where ``views`` has fewer.
        number: q; each pass over the images gives as many as the pipeline makes.
        layers: ``backbone``, ``neck`` or both.
        progress: Show bars with the time left, if stderr is a terminal.
    """
    found: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    draw = made = 0
    while made < number:
        loader = other_views(views, draw, images)
        passed: list[list[Tensor]] = []
        for batch in progress_bar(loader, 'LiDAR', len(loader), progress):
            inputs = model.data_preprocessor(batch, False)['inputs'][: number - made]
            passed.append([model.extract_feat(view) for view in inputs])
        for view in zip(*passed, strict=True):
            rows = _of_all_ranks(torch.cat(view))[:images]  # (n, C)
            for layer, columns in found.items():
                columns.append(rows if layer == 'backbone' else model.neck(rows).float())
        draw, made = draw + 1, made + len(passed[0])
    return {layer: torch.stack(columns, dim=1) for layer, columns in found.items()}


def _of_all_ranks(rows: Tensor) -> Tensor:
    rows = rows.float()
    return rows if world_size() == 1 else gather_rows(rows, [len(rows)] * world_size())
