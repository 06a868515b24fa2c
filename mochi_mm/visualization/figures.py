"""Small drawing helpers over matplotlib: rows of images, learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mochi_mm.files.text_file import read_json_lines
from mochi_mm.models.functional.unit_rows import unit_rows


def read_scalars(work_dir: str | Path) -> list[dict[str, Any]]:
    """Return the logged scalars of the newest run in ``work_dir``, one dict per line, oldest first.

    Raises:
        FileNotFoundError: No log there.
    """
    logs = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not logs:
        raise FileNotFoundError(
            f'no scalars.json under {work_dir}; expected the work dir of a training run.'
        )
    return read_json_lines(logs[-1])


def draw_curves(
    axis: Any,
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    key: str,
    label: str,
    factor: float = 1.0,
) -> None:
    """Draw one scalar of several runs over their steps.

    Args:
        axis: A matplotlib axis.
        runs: Logged lines of each run, by its name.
        key: The scalar; lines without it are left out.
        label: Label of the vertical axis, with the unit.
        factor: Multiplies the values (100 for percent).
    """
    for name, lines in runs.items():
        points = [(line['step'], line[key] * factor) for line in lines if key in line]
        if points:
            axis.plot(
                *zip(*points, strict=True),
                label=name,
                linewidth=1.5,
                marker='o' if len(points) < 12 else None,
                markersize=3,
            )
    axis.set_xlabel('training step')
    axis.set_ylabel(label)
    axis.grid(alpha=0.3)
    for text in axis.legend(frameon=False, fontsize=8).get_texts():
        text.set_parse_math(False)


def draw_image_rows(axis: Any, rows: Sequence[Sequence[np.ndarray]], gap: int = 2) -> None:
    """Draw equally sized RGB images as a grid on a white ground.

    Args:
        axis: A matplotlib axis.
        rows: Rows of uint8 (H, W, 3) images.
        gap: Pixels between images.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    canvas = np.full(
        (len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, dtype=np.uint8
    )
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            top, left = r * (height + gap), c * (width + gap)
            canvas[top : top + height, left : left + width] = image
    axis.imshow(canvas, interpolation='nearest')
    axis.set_axis_off()


def nearest_neighbors(queries: Tensor, bank: Tensor, count: int) -> Tensor:
    """Return the ``count`` bank rows nearest to each query by cosine, (Q, count) int64."""
    similarity = unit_rows(queries) @ unit_rows(bank).T
    return torch.topk(similarity, count, dim=1).indices
