"""K networks in one product are K networks."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.models.layers import SubnetBank


@pytest.mark.parametrize('size', [(1, 2, 1), (5, 3, 4)])
def test_equals_a_loop_over_networks(size: tuple[int, int, int]) -> None:
    rows, networks, hidden = size
    bank = SubnetBank(6, networks, hidden, dropout=0.0).double()
    inputs = torch.randn(rows, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    bank.requires_grad_(False)
    weights, biases = bank.first.weight, bank.first.bias
    for k in range(networks):
        part = slice(k * hidden, (k + 1) * hidden)
        for n in range(rows):
            inner = [
                max(0.0, float(w @ inputs[n] + b))
                for w, b in zip(weights[part], biases[part], strict=True)
            ]
            expected = sum(float(v) * h for v, h in zip(bank.last[k], inner, strict=True))
            expected += float(bank.last_bias[k])
            assert float(bank(inputs)[n, k]) == pytest.approx(expected, abs=1e-12)


def test_it_starts_as_linear_layers_do() -> None:
    torch.manual_seed(0)
    bank = SubnetBank(16, 50, 64)
    for values, fan in (
        (bank.first.weight, 16),
        (bank.first.bias, 16),
        (bank.last, 64),
        (bank.last_bias, 64),
    ):
        assert float(values.detach().abs().max()) <= 1 / math.sqrt(fan)
        assert float(values.detach().std()) == pytest.approx(1 / math.sqrt(3 * fan), rel=0.3)


def test_drop_out_acts_in_training_alone() -> None:
    bank = SubnetBank(6, 3, 4, dropout=0.5)
    inputs = torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(3)
    found = bank(inputs)
    torch.manual_seed(3)
    hidden = F.dropout(F.relu(bank.first(inputs)), 0.5).unflatten(1, (3, 4))
    torch.testing.assert_close(found, (hidden * bank.last).sum(-1) + bank.last_bias)
    assert torch.equal(bank.eval()(inputs), bank(inputs))
    assert not torch.allclose(bank(inputs), found)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_subnets=0), 'num_subnets is 0; expected an integer >= 2'),
        (dict(num_subnets=1), 'num_subnets is 1; expected an integer >= 2'),
        (dict(hidden_channels=0), 'hidden_channels is 0; expected an integer >= 1'),
        (dict(dropout=1.0), r'dropout is 1.0; expected the share .* in \[0, 1\)'),
        (dict(dropout=-0.1), 'dropout is -0.1'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SubnetBank(**{**dict(in_channels=6, num_subnets=3, hidden_channels=4), **settings})


def test_rows_in_float32_of_a_model_in_float64() -> None:
    """As a head in float32 gives them, where the encoders are measured in float64."""
    bank, rows = SubnetBank(6, 3, 4, dropout=0.0), torch.randn(5, 6)
    expected = bank(rows)
    assert torch.equal(bank.double()(rows), expected) and expected.dtype == torch.float32
