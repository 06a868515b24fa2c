"""Runs that differ in one bit are told apart."""

from __future__ import annotations

import torch

from mochi_mm.experiments.on_device.resume_check import different


def test_one_bit_counts() -> None:
    one = dict(a=torch.tensor([1.0, 2.0]), b=3, c='x', d=torch.tensor(1))
    assert different(one, dict(one)) == dict(compared=4, different=0, first=[])
    other = dict(one, a=torch.tensor([1.0, 2.0000002]), d=torch.tensor(1.0))
    assert different(one, other)['first'] == ['a', 'd']
    assert different(one, dict(one, b=True))['first'] == ['b']
    del other['c']
    assert different(one, other) == dict(compared=4, different=3, first=['a', 'c', 'd'])
