"""A second set of batch norm statistics and weights beside those of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

#: What a batch norm owns, of which the twins have copies.
OWNED = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')


class NormTwins(nn.Module):
    """Run a module with batch norms of its own in the place of the module's.

    The module keeps its layers and its state dict; everything but the batch norms is shared.

    Args:
        module: A module with batch norms; it is not held, so that its weights are not listed twice.

    Raises:
        ValueError: It has no batch norm, so nothing would be apart.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.places: dict[str, str] = {}
        for name, layer in module.named_modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                self._copy(name, layer)
        if not self.places:
            raise ValueError(
                f'{type(module).__name__} has no batch norm, so separate statistics would change '
                'nothing; set separate_norms=False.'
            )

    def _copy(self, name: str, layer: nn.Module) -> None:
        for part in OWNED:
            value: Tensor | None = getattr(layer, part, None)
            if value is None:
                continue
            # A state dict has no dots within a name.
            own = f'{name}.{part}'.replace('.', '__')
            self.places[f'{name}.{part}'] = own
            copied = value.detach().clone()
            if isinstance(value, nn.Parameter):
                self.register_parameter(own, nn.Parameter(copied))
            else:
                self.register_buffer(own, copied)

    def copy_from(self, module: nn.Module) -> None:
        """Make weights and statistics copies of those of the module."""
        found = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        with torch.no_grad():
            for place, own in self.places.items():
                getattr(self, own).copy_(found[place])

    def around(self, module: Any) -> Callable[[Tensor], Any]:
        """Return the module as a function of its input, with these norms; they are updated.

        Args:
            module: The module that the twins were made of.
        """

        def run(values: Tensor) -> Any:
            norms = {place: getattr(self, own) for place, own in self.places.items()}
            return functional_call(module, norms, (values,))

        return run
