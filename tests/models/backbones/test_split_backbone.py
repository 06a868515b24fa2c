"""Backbones on channels of their own, side by side."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.backbones import ResNet, SplitBackbone

PART = dict(type='ResNet', depth=10, width=0.125, stem='small')


def test_each_part_sees_its_channels() -> None:
    split = SplitBackbone([dict(PART, in_channels=n) for n in (1, 2)]).eval()
    images = torch.randn(2, 3, 16, 16)
    (joined,) = split(images)
    parts = [split.backbones[0](images[:, :1])[-1], split.backbones[1](images[:, 1:])[-1]]
    assert torch.equal(joined, torch.cat(parts, dim=1))
    assert split.out_channels == joined.shape[1] == 128 and split.in_channels == [1, 2]
    moved = images.clone()
    moved[:, 0] += 1
    (other,) = split(moved)
    assert torch.equal(other[:, 64:], joined[:, 64:])
    assert not torch.equal(other[:, :64], joined[:, :64])


def test_modules_are_taken_as_they_are() -> None:
    nets = [ResNet(10, width=0.125, in_channels=n) for n in (2, 2)]
    split = SplitBackbone(nets)
    assert split.backbones[0] is nets[0] and split.backbones[1] is nets[1]


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match='backbones holds 1; expected at least two'):
        SplitBackbone([PART])
    split = SplitBackbone([dict(PART, in_channels=n) for n in (1, 2)])
    with pytest.raises(ValueError, match=r'images of 4 channels for backbones that take \[1, 2\]'):
        split(torch.zeros(2, 4, 8, 8))
