"""The operators as loops over boxes, bins and samples, in Python floats."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def iou(a: list[float], b: list[float], offset: int) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]) + offset)
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]) + offset)
    sizes = [(box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)]
    return width * height / (sum(sizes) - width * height)


def nms(boxes: Tensor, scores: Tensor, threshold: float, offset: int) -> list[int]:
    corners = boxes.double().tolist()
    kept: list[int] = []
    for i in sorted(range(len(corners)), key=lambda i: -float(scores[i])):
        if all(iou(corners[i], corners[j], offset) <= threshold for j in kept):
            kept.append(i)
    return kept


def neighbors(y: float, x: float, height: int, width: int) -> Iterator[tuple[int, int, float]]:
    """Yield row, column and weight of the pixels that a bilinear sample at (y, x) reads."""
    if y < -1 or y > height or x < -1 or x > width:
        return
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    for row, row_weight in ((top, 1 - (y - top)), (min(top + 1, height - 1), y - top)):
        for column, column_weight in ((left, 1 - (x - left)), (min(left + 1, width - 1), x - left)):
            yield row, column, row_weight * column_weight


def roi_align(
    maps: Tensor,
    rois: Tensor,
    bins: tuple[int, int],
    scale: float,
    sampling: int,
    mode: str,
    aligned: bool,
) -> Tensor:
    """Differentiable in ``maps``: each output is a sum of weights times pixels."""
    height, width = maps.shape[-2:]
    output = []
    for index, *corners in rois.double().tolist():
        x1, y1, x2, y2 = (c * scale - (0.5 if aligned else 0) for c in corners)
        size_y, size_x = y2 - y1, x2 - x1
        if not aligned:
            size_y, size_x = max(size_y, 1), max(size_x, 1)
        bin_y, bin_x = size_y / bins[0], size_x / bins[1]
        count_y = sampling or math.ceil(bin_y)
        count_x = sampling or math.ceil(bin_x)
        for channel in maps[int(index)]:
            for i in range(bins[0]):
                for j in range(bins[1]):
                    samples = []
                    for m in range(count_y):
                        for n in range(count_x):
                            y = y1 + i * bin_y + (m + 0.5) * bin_y / count_y
                            x = x1 + j * bin_x + (n + 0.5) * bin_x / count_x
                            pixels = neighbors(y, x, height, width)
                            terms = [w * channel[r, c] for r, c, w in pixels]
                            samples.append(sum(terms, maps.new_zeros(())))
                    if mode == 'max':
                        output.append(torch.stack(samples).max() if samples else -1e4)
                    else:
                        output.append(sum(samples, maps.new_zeros(())) / max(len(samples), 1))
    flat = torch.stack([torch.as_tensor(value, dtype=maps.dtype) for value in output])
    return flat.view(len(rois), maps.shape[1], *bins)
