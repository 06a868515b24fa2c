"""Shares of mixed images against scipy's Beta distribution."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.special import betainc, betaincinv

from mochi_mm.models.view_editors.beta_share import INTERVALS, BetaShare


@pytest.mark.parametrize('alpha', [0.1, 0.2, 1.0, 3.0, 50.0])
def test_a_draw_is_the_quantile_of_a_uniform_number(alpha: float) -> None:
    """P(max(b, 1 - b) > s) = 2 F(1 - s), to an interval of the table or a float32 of the share."""
    sampler = BetaShare(alpha)
    uniform = torch.rand(2000, generator=torch.Generator().manual_seed(4)).double()
    share = sampler(2000, torch.Generator().manual_seed(4)).double()
    expected = 1 - torch.from_numpy(betaincinv(alpha, alpha, uniform.numpy() / 2))
    probability = 2 * torch.from_numpy(betainc(alpha, alpha, (1 - share).numpy()))
    near = (probability - uniform).abs() < 1 / INTERVALS
    assert (near | ((share - expected).abs() < 2e-5)).all()
    assert sampler.quantiles[[0, INTERVALS]].tolist() == [1.0, 0.5]
    assert sampler.state_dict() == {}


def test_uniform_where_alpha_is_one() -> None:
    uniform = torch.rand(50, generator=torch.Generator().manual_seed(4))
    share = BetaShare(1.0)(50, torch.Generator().manual_seed(4))
    torch.testing.assert_close(share, 1 - uniform / 2, rtol=0, atol=1e-6)


@pytest.mark.parametrize('alpha', [0, -1.0, float('inf'), True, 'one'])
def test_an_alpha_that_is_no_number_above_0_is_refused(alpha: Any) -> None:
    with pytest.raises(ValueError, match='alpha is .*; expected a number above 0'):
        BetaShare(alpha)
