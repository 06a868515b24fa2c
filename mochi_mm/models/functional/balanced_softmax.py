"""Balanced softmax: cross-entropy that knows how often each class is seen (Ren et al. 2020)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def log_prior(class_counts: Tensor) -> Tensor:
    """Return (C,) float32 ``log(n_c / n)``, the logarithm of each class's share of the images.

    Args:
        class_counts: (C,) images of each class, all above 0.
    """
    counts = class_counts.float()
    return (counts / counts.sum()).log()


def balanced_softmax(
    logits: Tensor, labels: Tensor, class_counts: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Return ``-log( n_y e^(l_y) / sum_c n_c e^(l_c) )`` for each row, in nats.

    The counts stand in the training alone: a classifier predicts by the logits as they are, as on
    a set where all classes are equally frequent. Equal counts give cross-entropy. Source: Ren et
    al., Balanced Meta-Softmax for Long-Tailed Visual Recognition, NeurIPS 2020.

    Args:
        logits: (B, C).
        labels: (B,) int64 class of each row.
        class_counts: (C,) n_c, images of each class in the training set, all above 0; their scale
            does not matter.
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1).

    Returns:
        (B,) losses; the mean over the rows is what is optimized.
    """
    return F.cross_entropy(
        logits + log_prior(class_counts).to(logits),
        labels,
        reduction='none',
        label_smoothing=label_smoothing,
    )
