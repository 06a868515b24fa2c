"""Which layers the neck has, and what they compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.necks import MLPNeck

PLAN = {
    'MoCo-v2': (dict(), 'Linear+ ReLU Linear+'),
    'one layer': (dict(num_layers=1), 'Linear+'),
    'SCE, small images': (dict(norm='hidden'), 'Linear BatchNorm+ ReLU Linear+'),
    'SCE, predictor': (dict(norm='hidden', last_bias=False), 'Linear BatchNorm+ ReLU Linear'),
    'SCE, ImageNet': (
        dict(num_layers=3, norm='all', last_affine=False),
        'Linear BatchNorm+ ReLU Linear BatchNorm+ ReLU Linear BatchNorm',
    ),
    'FNC': (dict(norm='all'), 'Linear BatchNorm+ ReLU Linear BatchNorm+'),
}


def described(neck: MLPNeck) -> str:
    """Names of the layers, with + where they have a bias or shift of their own."""
    words = []
    for layer in neck.layers:
        own = '+' if getattr(layer, 'bias', None) is not None else ''
        words.append(type(layer).__name__.replace('1d', '') + own)
    return ' '.join(words)


@pytest.mark.parametrize('name', PLAN)
def test_layers(name: str) -> None:
    settings, expected = PLAN[name]
    assert described(MLPNeck(6, 8, 4, **settings)) == expected


def test_values() -> None:
    torch.manual_seed(0)
    neck = MLPNeck(6, 8, 4, norm='all', last_affine=False)
    x = torch.randn(5, 6)
    hidden = x @ neck.layers[0].weight.T
    hidden = (hidden - hidden.mean(0)) / (hidden.var(0, unbiased=False) + 1e-5).sqrt()
    out = hidden.clamp_min(0) @ neck.layers[3].weight.T
    out = (out - out.mean(0)) / (out.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(neck(x), out, rtol=1e-4, atol=1e-5)


def test_input_of_unit_length() -> None:
    torch.manual_seed(0)
    neck = MLPNeck(2, out_channels=3, num_layers=1, normalize_input=True)
    x = torch.tensor([[3.0, -4.0], [0.0, 0.5], [0.0, 0.0], [3e20, -4e20], [0.0, 1e-30]])
    unit = torch.tensor([[0.6, -0.8], [0.0, 1.0], [0.0, 0.0], [0.6, -0.8], [0.0, 1.0]])
    layer = neck.layers[0]
    torch.testing.assert_close(neck(x), unit @ layer.weight.T + layer.bias)
    assert not MLPNeck(2).normalize_input


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_layers=0), 'num_layers is 0'),
        (dict(norm='first'), "norm is 'first' with 2 layers"),
        (dict(norm='hidden', num_layers=1), "norm is 'hidden' with 1 layers"),
        (dict(last_affine=False), "norm is None; set norm='all'"),
        (dict(norm='all', last_bias=False), 'last_bias=False says nothing'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPNeck(6, **settings)
