"""Shares of mixed images, drawn from a symmetric Beta distribution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mochi_mm.utils.checks import check_number

#: Intervals of the table of quantiles.
INTERVALS = 2**14


class BetaShare(nn.Module):
    """Draw ``max(b, 1 - b)``, b from Beta(alpha, alpha): the share of the image itself.

    The quantiles are tabulated once, and a draw is a uniform number looked up in them: so it needs
    nothing but torch's uniform generator of the device, and never waits for the host, as sampling
    by rejection would. Between two of the 16,384 quantiles it interpolates; with alpha = 1, where
    the share is uniform in [1/2, 1], that is exact.

    Args:
        alpha: Above 0. 1 is uniform, below 1 most shares are near 1, far above 1 near 1/2.

    Raises:
        ValueError: ``alpha`` not above 0.

    >>> share = BetaShare(alpha=1.0)(1000, torch.Generator().manual_seed(0))
    >>> bool((share >= 0.5).all()), bool((share <= 1).all())
    (True, True)
    """

    quantiles: Tensor

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = check_number('alpha', alpha, 1.0)
        self.register_buffer('quantiles', share_quantiles(alpha), persistent=False)

    def extra_repr(self) -> str:
        """Return the setting shown in ``repr``."""
        return f'alpha={self.alpha}'

    def forward(self, number: int, generator: torch.Generator | None = None) -> Tensor:
        """Return (number,) float32 shares in [1/2, 1], on the device of the module."""
        device = self.quantiles.device
        place = INTERVALS * torch.rand(number, generator=generator, device=device)
        index = place.long().clamp_max(INTERVALS - 1)  # 1 - 2^-24 times INTERVALS may round up
        return torch.lerp(self.quantiles[index], self.quantiles[index + 1], place - index)


def share_quantiles(alpha: float) -> Tensor:
    """Return (INTERVALS + 1,) float32 quantiles of ``max(b, 1 - b)``, from 1 down to 1/2.

    The smaller of b and 1 - b is below m with twice the probability that b is, up to 1/2.

    Args:
        alpha: Both parameters of the Beta distribution of b.
    """
    from scipy.special import betaincinv

    probability = torch.linspace(0, 0.5, INTERVALS + 1, dtype=torch.float64)
    smaller = torch.from_numpy(betaincinv(alpha, alpha, probability.numpy()))
    return (1 - smaller).float()
