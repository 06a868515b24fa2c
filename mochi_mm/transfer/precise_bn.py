"""Mean and variance of everything that batch-norm layers see, summed exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn


class _Sums:
    """Count, sum and sum of squares of one layer's inputs, per channel, in float64."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.momentum, self.batches = self.layer.momentum, self.layer.num_batches_tracked.clone()
        self.layer.momentum = 0.0  # the passes themselves leave no trace
        channels = self.layer.num_features
        device = self.layer.running_mean.device
        self.total = torch.zeros(2 * channels + 1, dtype=torch.float64, device=device)
        self.handle = layer.register_forward_pre_hook(self._add)

    def _add(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].detach().float()
        count = values.numel() // values.shape[1]
        if count:
            dims = [0, *range(2, values.ndim)]
            var, mean = (v.double() for v in torch.var_mean(values, dims, correction=0))
            self.total += count * torch.cat([mean.new_ones(1), mean, var + mean.square()])

    def restore(self) -> None:
        self.handle.remove()
        self.layer.momentum = self.momentum
        self.layer.num_batches_tracked.copy_(self.batches)

    def store(self) -> None:
        """Write the statistics over all ranks; a layer that saw nothing keeps its own."""
        all_reduce(self.total)
        count, (first, second) = self.total[0], self.total[1:].view(2, -1)
        if count < 1:
            return
        mean = first / count
        self.layer.running_mean.copy_(mean)
        self.layer.running_var.copy_((second / count - mean.square()).clamp_min(0))


def precise_statistics(model: nn.Module, step: Callable[[], None], num_steps: int) -> int:
    """Replace the running statistics of all batch norms that train by exact ones.

    A layer's statistics become the mean and the (biased) variance over all elements that reach it
    in ``num_steps`` calls of ``step`` on all ranks, whatever their number in each call. Layers in
    evaluation mode, and those that keep no statistics, are left alone.

    Args:
        model: Network in training mode; its weights do not change.
        step: Sends one batch through ``model``, without gradient.
        num_steps: Number of calls.

    Returns:
        The number of layers.
    """
    layers = [
        module
        for module in model.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        and module.training
        and module.track_running_stats
    ]
    sums = [_Sums(layer) for layer in layers]
    try:
        for _ in range(num_steps):
            step()
    finally:
        for one in sums:
            one.restore()
    for one in sums:
        one.store()
    return len(layers)
