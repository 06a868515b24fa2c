"""A gallery of nearest neighbors, framed by whether the class is the query's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mochi_mm.visualization.figures import draw_image_rows, nearest_neighbors

_FRAME = 3
_SAME, _OTHER, _PLAIN = (0, 120, 90), (200, 70, 0), (60, 60, 60)


def draw_gallery(
    axis: Any,
    dataset: Any,
    features: Tensor,
    labels: Tensor,
    rows: int = 8,
    neighbors: int = 9,
    size: int = 64,
) -> None:
    """Draw evenly spaced samples, each with its nearest other samples by cosine, nearest first.

    The first column is the query. A green frame is the same class, an orange one another; gray
    where a class is not known.

    Args:
        axis: A matplotlib axis.
        dataset: A data set with ``image(index)``; sample i belongs to row i of the features.
        features: (M, C).
        labels: (M,) int64, -1 for unknown.
        rows: Queries.
        neighbors: Number of neighbors per sample.
        size: Pixels of a picture's sides.

    Raises:
        ValueError: Fewer other samples than neighbors.
    """
    if neighbors > len(features) - 1:
        raise ValueError(
            f'{neighbors} neighbors of {len(features)} samples; expected at most '
            f'{len(features) - 1}: ask for fewer, or take a larger data set.'
        )
    queries = torch.from_numpy(
        np.linspace(0, len(features) - 1, min(rows, len(features))).round().astype(int)
    )
    near = nearest_neighbors(features[queries], features, neighbors + 1)
    pictures = []
    for query, found in zip(queries.tolist(), near.tolist(), strict=True):
        others = [index for index in found if index != query][:neighbors]
        line = [_framed(dataset.image(query), _PLAIN, size)]
        for index in others:
            color = _PLAIN
            if labels[query] >= 0 and labels[index] >= 0:
                color = _SAME if labels[query] == labels[index] else _OTHER
            line.append(_framed(dataset.image(index), color, size))
        pictures.append(line)
    draw_image_rows(axis, pictures, gap=4)


def gallery_legend() -> Sequence[Any]:
    """Return matplotlib handles that explain the frames."""
    from matplotlib.patches import Patch

    meaning = [(_PLAIN, 'query (first column)'), (_SAME, 'same class'), (_OTHER, 'another class')]
    return [
        Patch(color='#{:02x}{:02x}{:02x}'.format(*color), label=text) for color, text in meaning
    ]


def _framed(image: Image.Image, color: tuple[int, int, int], size: int) -> np.ndarray:
    inner = size - 2 * _FRAME
    small = max(image.size) < inner
    method = Image.Resampling.NEAREST if small else Image.Resampling.BILINEAR
    fitted = ImageOps.fit(image.convert('RGB'), (inner, inner), method)
    return np.asarray(ImageOps.expand(fitted, _FRAME, color))
