"""Grad-CAM: where an image speaks for a class, and what is left of it there."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def grad_cam(activation: Tensor, gradient: Tensor, rectify: bool = False) -> Tensor:
    """Return (B, h, w) ``sum_c mean(dY / dA_c) A_c``, the mean over the positions.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; equation 2 rectifies, the code
    of ExCon does not.

    Args:
        activation: (B, C, h, w) A, output of a layer.
        gradient: (B, C, h, w) dY / dA of the score of a class.
        rectify: Set what speaks against the class to 0.

    >>> activation = torch.tensor([[[[1.0, 2.0]], [[0.0, 4.0]]]])
    >>> gradient = torch.tensor([[[[1.0, 3.0]], [[-1.0, 0.0]]]])  # means 2 and -1/2
    >>> grad_cam(activation, gradient), grad_cam(activation, gradient, rectify=True).shape
    (tensor([[[2., 2.]]]), torch.Size([1, 1, 2]))
    """
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
    heat = (weights * activation).sum(1)  # (B, h, w)
    return heat.relu() if rectify else heat


def heat_map(heat: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return (B, H, W) the heat, enlarged and from 0 to 1 in each image, and where it varies.

    A constant map says nothing: it is all 0, and the second result, (B,) bool, is False.

    Args:
        heat: (B, h, w).
        size: H and W.
    """
    large = F.interpolate(heat[:, None], size, mode='bilinear', align_corners=False)[:, 0]
    # Asked before the enlargement, whose rounding makes a constant map vary.
    varies = heat.amax(dim=(1, 2)) > heat.amin(dim=(1, 2))  # (B,)
    least, most = large.amin(dim=(1, 2)), large.amax(dim=(1, 2))
    span = torch.where(most > least, most - least, 1.0)
    scaled = (large - least[:, None, None]) / span[:, None, None]
    return torch.where(varies[:, None, None], scaled, 0.0), varies


def keep_hot(images: Tensor, heat: Tensor, threshold: float = 0.5) -> Tensor:
    """Return the images with 0 wherever the heat is not above the threshold.

    In a normalized image 0 is the mean color.

    Args:
        images: (B, 3, H, W).
        heat: (B, H, W) in [0, 1].
        threshold: In [0, 1).

    >>> images = torch.tensor([[[[10.0, 20.0], [30.0, 40.0]]]])
    >>> keep_hot(images, torch.tensor([[[0.0, 2.0], [1.0, 4.0]]]) / 4).tolist()
    [[[[0.0, 0.0], [0.0, 40.0]]]]
    """
    return torch.where((heat > threshold)[:, None], images, 0.0)


def hottest(heat: Tensor, share: float) -> Tensor:
    """Return (B, H, W) bool, the hottest pixels of each image: ``share`` of them, rounded up.

    Of equally hot ones that do not all fit, those that a sort leaves first.

    Args:
        heat: (B, H, W).
        share: In (0, 1].
    """
    flat = heat.flatten(1)  # (B, H W)
    count = math.ceil(share * flat.shape[1] - 1e-9)
    index = flat.argsort(dim=1, descending=True, stable=True)[:, :count]
    return torch.zeros_like(flat, dtype=torch.bool).scatter(1, index, True).view_as(heat)
