"""Grad-CAM of a network: its gradient, taken at one layer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mochi_mm.models.functional.grad_cam import grad_cam


def class_activation(
    classify: Callable[[Tensor], Tensor],
    layer: nn.Module,
    images: Tensor,
    classes: Tensor | None = None,
    rectify: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the Grad-CAM (B, h, w) of a class of each image, and the logits (B, classes).

    Everything stays on the device. No parameter gets a gradient. The caller puts the network in
    evaluation mode, where no image depends on another.

    Args:
        classify: Function of images that returns logits (B, classes); it uses ``layer`` once.
        layer: A layer whose output is (B, C, h, w).
        images: (B, 3, H, W), as ``classify`` takes them.
        classes: (B,) int64, the class that is explained; None explains the predicted one.
        rectify: See :func:`grad_cam`.

    Raises:
        ValueError: A layer that is not used, or whose output is no map.
    """
    seen: list[Tensor] = []

    def cut(_: nn.Module, __: object, output: object) -> Tensor:
        if not isinstance(output, Tensor) or output.ndim != 4:
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                f'the layer {type(layer).__name__} gives {shape}; Grad-CAM expects maps (images, '
                'channels, height, width): set layer to a convolution or a block before pooling.'
            )
        seen.append(output.detach().requires_grad_())
        return seen[-1].clone()  # what follows may work in place

    handle = layer.register_forward_hook(cut)
    try:
        with torch.enable_grad():
            logits = classify(images)
            if len(seen) != 1:
                raise ValueError(
                    f'the layer {type(layer).__name__} is used {len(seen)} times for a batch; '
                    'Grad-CAM expects one that is used once: set layer to another.'
                )
            wanted = logits.detach().argmax(1) if classes is None else classes
            score = logits.gather(1, wanted[:, None]).sum()
            gradient = torch.autograd.grad(score, seen[0])[0]
    finally:
        handle.remove()
    heat = grad_cam(seen[0].detach().float(), gradient.float(), rectify)
    return heat, logits.detach()
