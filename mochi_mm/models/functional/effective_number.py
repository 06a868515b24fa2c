"""Weights of classes by the effective number of their images (Cui et al. 2019)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def effective_weights(class_counts: Tensor, beta: float) -> Tensor:
    """Return (C,) float32 weights, larger for rare classes.

    With ``E_c = (1 - beta^n_c) / (1 - beta)``, the effective number of images of class c,
    ``w_c = mean(E) / E_c``. At beta 0 all are 1; towards 1 they go with ``1 / n_c``. Sources: Cui
    et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019; the scale is that
    of ResCom's released code.

    Args:
        class_counts: (C,) n_c, images of each class, all above 0.
        beta: In [0, 1).

    >>> effective_weights(torch.tensor([10, 2]), 0.9)
    tensor([0.6459, 2.2140])
    """
    counts = class_counts.double()
    # 1 - beta^n and 1 - beta without loss of digits where beta is close to 1.
    grown = -torch.expm1(counts * math.log(beta)) if beta else torch.ones_like(counts)
    number = grown / (1 - beta)  # (C,) E
    return (number.mean() / number).float()
