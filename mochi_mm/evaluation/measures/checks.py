"""Refusing features that no measure can work on."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.argument_kinds import is_number


def check_features(features: Tensor, least: int = 2) -> None:
    """Raise ``ValueError`` unless ``features`` are (M, C), M >= ``least``, and finite."""
    if features.ndim != 2 or len(features) < least:
        raise ValueError(
            f'features of shape {tuple(features.shape)}; expected (samples, width) with at least '
            f'{least} samples.'
        )
    if not bool(torch.isfinite(features).all()):
        raise ValueError(
            'the features are not finite; the network has diverged or its weights are damaged.'
        )


def check_positive(name: str, value: float) -> float:
    """Return ``value``, or raise ``ValueError`` unless it is a number above 0."""
    if not is_number(value) or not value > 0:
        raise ValueError(f'{name} is {value!r}; expected a number > 0, such as 2.')
    return float(value)
