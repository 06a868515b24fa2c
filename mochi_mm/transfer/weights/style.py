"""Position of the strides in a residual network."""

from __future__ import annotations

from typing import Any

from torch import nn


def style_of(model: nn.Module) -> str | None:
    """Return ``pytorch`` or ``caffe``: the stride of a bottleneck in its 3x3 or first 1x1.

    None where no bottleneck has a stride.
    """
    for module in model.modules():
        if not hasattr(module, 'conv3'):
            continue
        strides = [_stride(getattr(module, name, None)) for name in ('conv1', 'conv2')]
        if strides[0] > 1:
            return 'caffe'
        if strides[1] > 1:
            return 'pytorch'
    return None


def _stride(convolution: Any) -> int:
    stride = getattr(convolution, 'stride', 1)
    return max(stride) if isinstance(stride, tuple) else int(stride)
