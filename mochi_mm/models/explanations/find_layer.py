"""A layer of a network by its name."""

from __future__ import annotations

from torch import nn


def find_layer(network: nn.Module, name: str) -> nn.Module:
    """Return the layer ``name`` of a network, such as ``layer2.1.conv2``.

    Raises:
        ValueError: It has none.
    """
    layers = dict(network.named_modules())
    if name and name in layers:
        return layers[name]
    stem = name.rpartition('.')[0] if isinstance(name, str) else ''
    while stem and stem not in layers:
        stem = stem.rpartition('.')[0]
    there = [child for child, _ in layers[stem].named_children()]
    where = f'{type(network).__name__}.{stem}' if stem else type(network).__name__
    raise ValueError(
        f'layer is {name!r}, which {type(network).__name__} does not have; {where} has '
        f'{", ".join(there) or "no layers"}. Expected the name of a convolution or a block, such '
        'as layer2.1.conv2 of a ResNet-18.'
    )
