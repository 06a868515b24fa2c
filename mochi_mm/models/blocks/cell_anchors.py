"""Anchors from the cells of feature maps: a query for each, with the nearest cell as own key."""

from __future__ import annotations

import torch

from mochi_mm.models.blocks.anchors import repeat_samples
from mochi_mm.models.functional.nearest_cells import nearest_cells
from mochi_mm.structures import Views
from mochi_mm.structures.cell_anchors import CellAnchors


def cell_anchors(views: Views) -> CellAnchors:
    """Return a query for each cell of each pair of an online and another target view.

    Pair by pair, image by image, cell by cell. The own key of a cell is the embedding of the cell
    of the other view whose backbone features have the largest cosine with its own.

    Args:
        views: Unit rows (B, P, D) of the cells, with backbone features (B, P, C) of both sides.
    """
    images, cells, width = next(iter(views.online.values())).shape
    device, pairs = next(iter(views.online.values())).device, views.pairs
    rows = torch.cat([views.online[i].flatten(0, 1) for i, _ in pairs])  # (A, D)
    # (B, P) of each pair
    match = [nearest_cells(views.features[i], views.target_features[j]) for i, j in pairs]
    keys = torch.cat(
        [
            views.target[j].gather(1, found[..., None].expand(-1, -1, width)).flatten(0, 1)
            for (_, j), found in zip(pairs, match, strict=True)
        ]
    )  # (A, D)
    image = torch.arange(images, device=device).repeat_interleave(cells)  # (B P,)
    samples = {name: values.repeat_interleave(cells, 0) for name, values in views.samples.items()}
    return CellAnchors(
        rows,
        image.repeat(len(pairs)),
        images,
        repeat_samples(samples, len(pairs)),
        keys[:, None],
        cell=torch.arange(cells, device=device).repeat(images * len(pairs)),
        match=torch.cat([found.flatten() for found in match]),
    )
