"""Plain data, all that a checkpoint may hold: tensors, numbers and strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

_AS_THEY_ARE = (bool, int, float, str, bytes, type(None))


def as_data(value: Any, where: str) -> Any:
    """Return ``value`` as :func:`mochi_mm.files.checkpoint.read_checkpoint` can read it again.

    Tensors go to the CPU (one that is there is not copied), mappings become dicts, NumPy's numbers
    Python's.

    Args:
        value: Anything.
        where: Name of the value, for the error.

    Raises:
        ValueError: It is, or holds, an object of another kind; names the place and the kind.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, Mapping):
        return {
            as_data(key, where): as_data(item, f'{where}[{key!r}]') for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        items = [as_data(item, f'{where}[{i}]') for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        value = value.item()
    for kind in _AS_THEY_ARE:
        if type(value) is kind:
            return value
    kinds = [kind for kind in (str, bytes, bool, int, float) if isinstance(value, kind)]
    if kinds:
        return kinds[0](value)
    raise ValueError(
        f'{where} is a {type(value).__module__}.{type(value).__qualname__}; a checkpoint holds '
        'tensors, numbers, strings, and lists and dicts of them, for it is read without running '
        'code. Have the hook that put it there write it as such (arrays with torch.from_numpy); '
        'nothing was saved.'
    )
