"""Batch norm in groups against one plain layer a group."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mochi_mm.models.layers import split_batch_norm


@pytest.mark.parametrize(('batch', 'splits'), [(8, 2), (8, 4), (7, 3), (16, 8), (5, 1)])
@pytest.mark.parametrize('shape', [(), (3, 3)])
def test_equals_a_layer_for_each_group(batch: int, splits: int, shape: tuple[int, ...]) -> None:
    plain = (nn.BatchNorm2d if shape else nn.BatchNorm1d)(4)
    nn.init.uniform_(plain.weight)
    groups = [copy.deepcopy(plain) for _ in range(splits)]
    split = split_batch_norm(nn.Sequential(copy.deepcopy(plain)), splits)
    for step in range(2):
        images = torch.randn(batch, 4, *shape, generator=torch.Generator().manual_seed(step)) + 3
        expected = torch.cat(
            [layer(part) for layer, part in zip(groups, images.tensor_split(splits), strict=True)]
        )
        torch.testing.assert_close(split(images), expected)
        # Each group starts from the statistics that all groups shared after the step before.
        mean = torch.stack([g.running_mean for g in groups]).mean(0)
        variance = torch.stack([g.running_var for g in groups]).mean(0)
        torch.testing.assert_close(split[0].running_mean, mean)
        torch.testing.assert_close(split[0].running_var, variance)
        for layer in groups:
            layer.running_mean.copy_(mean)
            layer.running_var.copy_(variance)
    assert int(split[0].num_batches_tracked) == 2
    split.eval()
    plain.load_state_dict(split[0].state_dict())
    torch.testing.assert_close(split(images), plain.eval()(images))


def test_small_batches_use_fewer_groups() -> None:
    layer = split_batch_norm(nn.BatchNorm2d(2), 8)
    images = torch.randn(3, 2, 4, 4)
    torch.testing.assert_close(layer(images), nn.BatchNorm2d(2)(images))


def test_other_layers_are_left_alone_and_bad_numbers_refused() -> None:
    module = split_batch_norm(
        nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.LayerNorm(2)), 2
    )
    assert [type(m).__name__ for m in module] == ['Conv2d', 'SplitBatchNorm2d', 'LayerNorm']
    with pytest.raises(ValueError, match='num_splits is 0'):
        split_batch_norm(nn.BatchNorm2d(2), 0)
