"""Architecture of a residual network, read from the names and shapes of its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_BLOCK = re.compile(r'layer([1-4])\.(\d+)\.')
#: Blocks of each stage by (bottleneck, depth), the common names first.
DEPTHS = {
    (False, 10): (1, 1, 1, 1),
    (False, 18): (2, 2, 2, 2),
    (False, 34): (3, 4, 6, 3),
    (True, 50): (3, 4, 6, 3),
    (True, 101): (3, 4, 23, 3),
    (True, 152): (3, 8, 36, 3),
}


def blocks_of(tensors: Mapping[str, Tensor]) -> dict[int, int]:
    """Return the number of blocks of each stage, by stage (1 to 4)."""
    found: dict[int, int] = {}
    for name in tensors:
        match = _BLOCK.match(name)
        if match:
            stage, block = int(match.group(1)), int(match.group(2))
            found[stage] = max(found.get(stage, 0), block + 1)
    return found


def describe(tensors: Mapping[str, Tensor]) -> str:
    """Return a text that describes the network of ``tensors``: depth, width, stem."""
    first = tensors.get('conv1.weight')
    blocks = blocks_of(tensors)
    if first is None or first.ndim != 4 or not blocks:
        return f'a network of {len(tensors)} tensors that is no ResNet'
    bottleneck = 'layer1.0.conv3.weight' in tensors
    depths = [
        depth
        for (kind, depth), layers in DEPTHS.items()
        if kind == bottleneck and all(layers[stage - 1] == count for stage, count in blocks.items())
    ]
    # Without layer4 several depths can look alike: the common name says enough.
    name = f'ResNet-{depths[0]}' if depths else 'ResNet'
    stages = '-'.join(str(blocks[stage]) for stage in sorted(blocks))
    kind = 'bottleneck' if bottleneck else 'basic'
    stem = 'small' if first.shape[-1] == 3 else 'imagenet'
    return f'{name} ({stages} {kind} blocks), width {first.shape[0] / 64:g}, stem {stem}'
