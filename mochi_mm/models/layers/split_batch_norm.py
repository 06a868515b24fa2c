"""Batch normalization in groups of the batch, as several devices would do it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class _SplitBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm that normalizes ``num_splits`` consecutive groups of a training batch separately.

    Running statistics are the mean over the groups; in evaluation it is the plain layer. A batch
    that does not divide gives groups that differ by one sample; one smaller than two samples a
    group uses fewer groups. State-dict keys are those of the plain layer.
    """

    num_splits: int
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized (B, C, ...) batch."""
        splits = min(self.num_splits, max(1, len(input) // 2))
        if not self.training or splits == 1 or not self.track_running_stats:
            return super().forward(input)
        self._check_input_dim(input)
        momentum = self._count_batch()
        means = self.running_mean.repeat(splits, 1)
        variances = self.running_var.repeat(splits, 1)
        # One split of all groups: its backward is one copy, that of separate slices one for each.
        size, longer = divmod(len(input), splits)
        sizes = [size + 1] * longer + [size] * (splits - longer)
        groups = [
            F.batch_norm(
                group, means[i], variances[i], self.weight, self.bias, True, momentum, self.eps
            )
            for i, group in enumerate(input.split(sizes))
        ]
        self.running_mean.copy_(means.mean(0))
        self.running_var.copy_(variances.mean(0))
        return torch.cat(groups)

    def _count_batch(self) -> float:
        self.num_batches_tracked.add_(1)
        return 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum


class SplitBatchNorm1d(_SplitBatchNorm, nn.BatchNorm1d):
    """:class:`torch.nn.BatchNorm1d` in groups of the batch."""


class SplitBatchNorm2d(_SplitBatchNorm, nn.BatchNorm2d):
    """:class:`torch.nn.BatchNorm2d` in groups of the batch."""


_SPLIT: dict[Any, Any] = {nn.BatchNorm1d: SplitBatchNorm1d, nn.BatchNorm2d: SplitBatchNorm2d}


def split_batch_norm(module: nn.Module, num_splits: int) -> nn.Module:
    """Turn every plain batch norm in ``module`` into one of ``num_splits`` groups, in place.

    Args:
        module: Any module; its parameters, buffers and state-dict keys stay as they are.
        num_splits: Groups, >= 1.

    Raises:
        ValueError: ``num_splits`` below 1.
    """
    if num_splits < 1:
        raise ValueError(f'num_splits is {num_splits}; expected the number of groups, >= 1.')
    layers: Any = module.modules()
    for layer in layers:
        if type(layer) in _SPLIT:
            layer.__class__ = _SPLIT[type(layer)]
            layer.num_splits = num_splits
    return module
