"""LARS as a config names it: the definition, exclusions, and the error without timm."""

from __future__ import annotations

import sys

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from mochi_mm.registry import OPTIMIZERS


def test_three_steps_are_the_definition() -> None:
    pytest.importorskip('timm', reason='timm is not installed')
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    gradients = torch.randn(3, 3, 4, generator=generator, dtype=torch.float64)
    weight = nn.Parameter(start.clone())
    optimizer = OPTIMIZERS.build(
        dict(type='LARS', params=[weight], lr=0.5, momentum=0.9, weight_decay=0.01)
    )
    expected, momentum = start.clone(), torch.zeros_like(start)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
        norm = float(expected.norm())
        trust = 0.001 * norm / (float(gradient.norm()) + 0.01 * norm + 1e-8)
        momentum = 0.9 * momentum + trust * (gradient + 0.01 * expected)
        expected = expected - 0.5 * momentum
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-6, atol=1e-9)


def test_norms_and_biases_are_neither_decayed_nor_adapted() -> None:
    pytest.importorskip('timm', reason='timm is not installed')
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    before = [p.detach().clone() for p in model.parameters()]
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            optimizer=dict(type='mochi_mm.LARS', lr=0.5, weight_decay=0.1),
            paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
        ),
    )
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    wrapper.optimizer.step()
    after = list(model.parameters())
    for old, new in zip(before[1:], after[1:], strict=True):  # bias, norm's weight and bias
        torch.testing.assert_close(new.detach(), old - 0.5)
    assert (after[0].detach() - before[0]).abs().max() < 0.01


def test_without_timm_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'timm.optim', None)
    with pytest.raises(ImportError, match=r'mochi_mm\[timm\]'):
        OPTIMIZERS.build(dict(type='LARS', params=[nn.Parameter(torch.zeros(1))], lr=0.1))
