"""A second set of batch norm statistics and weights beside those of a module."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


class NormTwins(nn.Module):
    """Run a module with batch norms of its own in the place of the module's.

    The module keeps its layers and its state dict; everything but the batch norms is shared. The
    twins are batch norms under the names that these have in the module, so that whoever looks for
    norms, or names a layer, finds them too: a skipped step, the optimizer, a comparison of ranks.

    Args:
        module: A module with batch norms; it is not held, so that its weights are not listed twice.

    Raises:
        ValueError: It holds no batch norm, so nothing would be apart.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        for name, layer in module.named_modules():
            if name and isinstance(layer, nn.modules.batchnorm._BatchNorm):
                self._hold(name, copy.deepcopy(layer))
        if not self._modules:
            raise ValueError(
                f'{type(module).__name__} holds no batch norm, so separate statistics would change '
                'nothing; set separate_norms=False.'
            )
        self.train()

    def train(self, mode: bool = True) -> NormTwins:
        """Stay in evaluation mode: the twins only hold, and the module's norms run with theirs."""
        return super().train(False)

    def copy_from(self, module: nn.Module) -> None:
        """Make weights and statistics copies of those of the module."""
        found = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        with torch.no_grad():
            for name, value in self._held().items():
                value.copy_(found[name])

    def around(self, module: Any) -> Callable[[Tensor], Any]:
        """Return the module as a function of its input, with these norms; they are updated.

        Args:
            module: The module that the twins were made of.
        """

        def run(values: Tensor) -> Any:
            return functional_call(module, self._held(), (values,))

        return run

    def _hold(self, name: str, twin: nn.Module) -> None:
        twin._modules.clear()  # an activation that some norms hold is shared
        *path, last = name.split('.')
        place: nn.Module = self
        for part in path:
            if part not in place._modules:
                place.add_module(part, nn.Module())
            place = place.get_submodule(part)
        place.add_module(last, twin)

    def _held(self) -> dict[str, Tensor]:
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}
