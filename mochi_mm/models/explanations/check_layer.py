"""Whether a layer can be explained, before anything is computed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.explanations.class_activation import class_activation
from mochi_mm.models.explanations.find_layer import find_layer

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm


def check_layer(model: BaseAlgorithm, name: str) -> nn.Module:
    """Return the layer ``name`` of a model's backbone, tried on one empty image.

    Args:
        model: An algorithm.
        name: Name of the layer, such as ``layer2.1.conv2``.

    Raises:
        ValueError: No such layer, one that is not used once, or whose output is no map.
    """
    backbone = cast(nn.Module, model.backbone)
    layer = find_layer(backbone, name)
    only = None if getattr(backbone, 'any_size', True) else backbone.image_size
    height, width = cast('tuple[int, int]', only or (32, 32))
    mean = getattr(model.data_preprocessor, 'mean', None)
    weight = next(backbone.parameters())
    channels = 3 if mean is None else mean.numel()
    image = torch.zeros(1, channels, height, width, device=weight.device, dtype=weight.dtype)
    with evaluating(model):
        class_activation(model.extract_feat, layer, image)
    return layer
