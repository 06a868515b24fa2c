"""What every memory refuses. All raise ``ValueError``."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def check_sizes(memory: Any, length: Any, dim: Any) -> None:
    """Accept a length and a width that are integers of at least 1."""
    for name, value in (('length', length), ('dim', dim)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f'{type(memory).__name__} {name} is {value!r}; expected an integer >= 1.'
            )


def check_keys(
    dim: int, features: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
) -> None:
    """Accept (B, dim) features with (B,) labels and indices, where there are any."""
    if features.ndim != 2 or features.shape[1] != dim:
        raise ValueError(
            f'keys of shape {tuple(features.shape)} do not fit a memory of width {dim}; '
            'expected (batch, width): set the dim of the memory to the width of the neck.'
        )
    for name, values in (('labels', labels), ('indices', indices)):
        if values is not None and values.shape != features.shape[:1]:
            raise ValueError(
                f'{name} of shape {tuple(values.shape)} for {len(features)} keys; '
                'expected one for each key.'
            )
