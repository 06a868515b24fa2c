"""How far the confidence of a classifier is from its accuracy."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.utils.checks import check_integer


def calibration_error(confidence: Tensor, right: Tensor, bins: int = 15) -> float:
    """Return the expected calibration error, a share in [0, 1].

    The sum over equally wide bins of the confidence, each weighted by its share of the images, of
    the distance between accuracy and mean confidence. A confidence on an edge is in the bin below.
    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3 (recalled).

    Args:
        confidence: (N,) probability of the predicted class, in [0, 1].
        right: (N,) bool, whether it is the true one.
        bins: Number of bins.

    Raises:
        ValueError: No image, lengths that differ, confidences that are no probabilities.

    >>> confidence = torch.tensor([0.9, 0.8, 0.3])
    >>> round(calibration_error(confidence, torch.tensor([True, False, True]), bins=2), 4)
    0.4667
    """
    check_integer('bins', bins, 15)
    values = confidence.double()
    if values.ndim != 1 or values.shape != right.shape or not len(values):
        raise ValueError(
            f'confidences {tuple(confidence.shape)} and outcomes {tuple(right.shape)}; expected '
            'one of each for every image, and at least one image.'
        )
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise ValueError(
            f'confidences from {float(values.min()):g} to {float(values.max()):g}; expected '
            'probabilities: the softmax of the logits.'
        )
    place = (values * bins).ceil().long().sub(1).clamp_min(0)  # (N,)
    gaps = torch.zeros(bins, dtype=torch.float64, device=values.device)
    gaps.index_add_(0, place, right.double() - values)
    return float(gaps.abs().sum() / len(values))
