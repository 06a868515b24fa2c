"""What is attacked of a network: its own classifier, or a linear probe behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.evaluation.robustness.pixel_classifier import PixelClassifier
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.algorithms.named_heads import classifier_of


def fitted_classifier(
    model: BaseAlgorithm,
    bank: Callable[[], tuple[Tensor, Tensor]],
    values: Sequence[float] = L2_GRID,
    device: torch.device | str = 'cpu',
    own: bool = True,
) -> tuple[PixelClassifier, float | None]:
    """Return a classifier of pixels, and the penalty of its probe, None where there is none.

    A head that classifies is taken as it is; elsewhere the fast linear probe is fitted.

    Args:
        model: An algorithm.
        bank: Returns features (M, C) and labels (M,) that a probe is fitted to.
        values: Penalties to choose from.
        device: Where to compute.
        own: Take a head that classifies; False fits a probe in any case.
    """
    if own and classifier_of(model) is not None:
        return PixelClassifier(model), None
    features, labels = bank()
    l2, _ = choose_l2(features, labels, values, device=device)
    return PixelClassifier(model, fit_linear(features, labels, l2, device=device)), l2
