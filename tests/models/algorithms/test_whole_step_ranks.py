"""A whole training step on two ranks equals one process, batch statistics synchronised."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from mochi_mm.randomness import StepKey
from tests.models.algorithms.toy import build_moco, views
from tests.ranks import run_ranks

STEPS = [[4, 4], [4, 4], [3, 1]]


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """Batch statistics over all ranks, by differentiable sums; for CPU tests."""

    def forward(self, input: Tensor) -> Tensor:
        size = torch.tensor([float(input.numel() // input.shape[1])])
        sums = torch.cat([input.sum((0, 2, 3)), (input * input).sum((0, 2, 3)), size.to(input)])
        sums = all_reduce(sums)
        channels = input.shape[1]
        mean = sums[:channels] / sums[-1]
        variance = sums[channels : 2 * channels] / sums[-1] - mean * mean
        with torch.no_grad():
            unbiased = variance * sums[-1] / (sums[-1] - 1)
            self.running_mean.lerp_(mean, 0.1)
            self.running_var.lerp_(unbiased, 0.1)
        shape = (1, -1, 1, 1)
        scaled = (input - mean.view(shape)) * torch.rsqrt(variance + self.eps).view(shape)
        return scaled * self.weight.view(shape) + self.bias.view(shape)


def build(shuffle: str) -> Any:
    """Encoders in float64; the memory stays as it is."""
    model = build_moco(mixing=False, batch_shuffle=shuffle).double()
    model.head.float()
    return model


def train(model: Any, trained: nn.Module, split: Any) -> dict[str, Any]:
    """Three plain SGD steps; ``split`` takes this rank's share of a tensor."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    losses = []
    for iteration, splits in enumerate(STEPS):
        for module in model.modules():
            if hasattr(module, 'set_step'):
                module.set_step(StepKey(0, iteration))
        batch = views(sum(splits), seed=iteration)
        share = dict(
            inputs=[split(view, splits) for view in batch['inputs']],
            data_samples={n: split(v, splits) for n, v in batch['data_samples'].items()},
        )
        optimizer.zero_grad()
        loss = trained(**model.data_preprocessor(share), mode='loss')['loss_contrast']
        loss.backward()
        optimizer.step()
        model.update_ema()
        losses.append(loss.detach())
    return dict(losses=losses, state=dict(model.state_dict()))


def on_a_rank(rank: int, shuffle: str) -> dict[str, Any]:
    model = build(shuffle)
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d
    wrapped = DistributedDataParallel(model, broadcast_buffers=False)
    result = train(model, wrapped, lambda tensor, splits: tensor.split(splits)[rank])
    for loss in result['losses']:
        dist.all_reduce(loss)
        loss /= 2
    return result


@pytest.mark.parametrize('shuffle', ['none', 'shuffle'])
def test_two_ranks_equal_one_process(shuffle: str) -> None:
    """Encoders in float64, so that what is left is the head's float32 rounding."""
    results = run_ranks(on_a_rank, 2, shuffle)
    model = build('none')
    whole = train(model, model, lambda tensor, splits: tensor)
    for step in range(len(STEPS)):
        torch.testing.assert_close(
            results[0]['losses'][step], whole['losses'][step], rtol=1e-4, atol=1e-4
        )
    for result in results:
        for name, value in whole['state'].items():
            if 'num_batches_tracked' in name:
                continue
            torch.testing.assert_close(result['state'][name], value, rtol=1e-3, atol=1e-4, msg=name)
    start = build('none').state_dict()
    moved = (whole['state']['backbone.conv1.weight'] - start['backbone.conv1.weight']).abs().max()
    assert moved > 1e-2
