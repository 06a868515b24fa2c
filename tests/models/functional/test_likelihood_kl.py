"""The divergence of two likelihoods: the loop, where gradients stop, the draw of others."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.likelihood_kl import drawn_others, likelihood_kl, log_likelihoods


def pair() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 5, 6, generator=generator, dtype=torch.float64)
    candidates = torch.rand(5, 6, generator=generator) < 0.6
    candidates[:, 0] = True
    candidates[1] = torch.arange(6) == 0  # itself alone
    return logits[0].requires_grad_(), logits[1].requires_grad_(), candidates


@pytest.mark.parametrize('frozen', ['entropy', 'target', 'none'])
def test_equals_the_loop_and_stops_the_gradient(frozen: str) -> None:
    a, b, candidates = pair()
    log_p, log_q = log_likelihoods(a, candidates), log_likelihoods(b, candidates)
    found = likelihood_kl(log_p, log_q, frozen)
    for row in range(5):
        inside = [m for m in range(6) if candidates[row, m]]
        total = [math.fsum(math.exp(x[row, m].item()) for m in inside) for x in (a, b)]
        shares = [
            {m: math.exp(x[row, m].item()) / t for m in inside}
            for x, t in zip((a, b), total, strict=True)
        ]
        value = sum(p * math.log(p / shares[1][m]) for m, p in shares[0].items())
        assert found[row].item() == pytest.approx(value, abs=1e-9)
    found.sum().backward()
    assert a.grad is not None or frozen == 'target'
    assert b.grad is not None and b.grad.isfinite().all()
    p, q = log_p.detach().exp(), log_q.detach().exp()
    assert torch.allclose(b.grad, q - p)  # whatever is frozen
    if a.grad is not None:
        ratio = -log_q.detach() if frozen == 'entropy' else (log_p - log_q).detach()
        ratio = ratio.masked_fill(~candidates, 0.0)
        assert torch.allclose(a.grad, p * (ratio - (p * ratio).sum(1, keepdim=True)))


def test_others_are_drawn_evenly_and_never_the_own() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([drawn_others(6, 2, generator) for _ in range(2000)]).float()
    assert (draws.sum(2) == 2).all()
    share = draws.mean(0)
    expected = 0.4 * (1 - torch.eye(6))
    assert float((share - expected).abs().max()) < 0.05
    assert torch.equal(drawn_others(4, 3), ~torch.eye(4, dtype=torch.bool))


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="frozen is 'all'; expected one of entropy, target, none"):
        likelihood_kl(torch.zeros(1, 2), torch.zeros(1, 2), 'all')
