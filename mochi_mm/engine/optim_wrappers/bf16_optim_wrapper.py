"""Mixed precision in bfloat16, on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mochi_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Run the forward pass under ``torch.autocast`` in bfloat16; arguments as in OptimWrapper.

    bfloat16 has the range of float32, so no loss scaling is needed, and unlike MMEngine's
    AmpOptimWrapper this works on a CPU. Heads compute in float32 whatever the autocast.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast beside what the plain wrapper enters."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
