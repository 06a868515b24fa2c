"""Statistics over all batches equal those of all elements taken together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.transfer.precise_bn import precise_statistics
from tests.ranks import run_ranks

SIZES = (1, 5, 2)  # images a batch: unequal, as regions of a detector are


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4))


def batches(sizes: tuple[int, ...] = SIZES) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [5 + 3 * torch.randn(n, 3, 6, 4, generator=generator) for n in sizes]


def seen_by(net: nn.Sequential, layer: int, data: list[Tensor]) -> tuple[list[float], list[float]]:
    """Mean and variance of a layer's inputs, by a loop over single numbers in float64."""
    inputs = [net[:layer](batch) for batch in data]
    means, variances = [], []
    for channel in range(inputs[0].shape[1]):
        numbers = [float(v) for batch in inputs for v in batch[:, channel].flatten()]
        mean = sum(numbers) / len(numbers)
        means.append(mean)
        variances.append(sum((v - mean) ** 2 for v in numbers) / len(numbers))
    return means, variances


def test_equals_a_loop_over_all_elements() -> None:
    net, data = network().train(), batches()
    reference = network().train()
    with torch.no_grad():
        stream = iter(data)
        assert precise_statistics(net, lambda: net(next(stream)), len(data)) == 2
        for layer in (1, 3):
            means, variances = seen_by(reference, layer, data)
            assert net[layer].running_mean.tolist() == pytest.approx(means, rel=1e-5, abs=1e-6)
            assert net[layer].running_var.tolist() == pytest.approx(variances, rel=1e-5)


def test_changes_nothing_else() -> None:
    net, data = network().train(), iter(batches())
    net[3].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        assert precise_statistics(net, lambda: net(next(data)), 2) == 1
    changed = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
    assert changed == {'1.running_mean', '1.running_var'}
    assert net[1].momentum == 0.1 and net[1].training and not net[3].training
    assert not net[1]._forward_pre_hooks


def test_an_error_on_the_way_leaves_the_layers_as_they_were() -> None:
    net = network().train()
    before = net[1].running_mean.clone()
    with pytest.raises(RuntimeError):
        precise_statistics(net, lambda: net(torch.zeros(1, 7, 5, 5)), 1)
    assert net[1].momentum == 0.1 and torch.equal(net[1].running_mean, before)
    assert not net[1]._forward_pre_hooks


def test_a_layer_that_sees_nothing_keeps_its_statistics() -> None:
    net, unused = network().train(), nn.BatchNorm2d(2)
    both = nn.ModuleList([net, unused])
    precise_statistics(both, lambda: net(batches()[1]), 1)
    assert unused.running_var.tolist() == [1, 1]


def _rank(rank: int) -> tuple[list[float], list[float]]:
    net, data = network().train(), batches()
    mine = iter([[data[0], data[1]], [data[2], data[2]]][rank])
    with torch.no_grad():
        precise_statistics(net, lambda: net(next(mine)), 2)
    return net[1].running_mean.tolist(), net[1].running_var.tolist()


def test_ranks_share_their_sums() -> None:
    data = batches()
    with torch.no_grad():
        means, variances = seen_by(network().train(), 1, [*data, data[2]])
    for found in run_ranks(_rank, 2):
        assert found[0] == pytest.approx(means, rel=1e-5)
        assert found[1] == pytest.approx(variances, rel=1e-5)
