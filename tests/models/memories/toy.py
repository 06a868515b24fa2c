"""What the tests of several memories share."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class WritesOfRows(TorchFunctionMode):
    """Refuses a row that is written twice with different values: an accelerator keeps either."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.index_copy_:
            _, _, index, values = args
            for i, row in enumerate(index.tolist()):
                first = index.tolist().index(row)
                self.twice += first != i
                assert torch.equal(values[i], values[first]), f'row {row} is left to chance'
        return func(*args, **(kwargs or {}))
