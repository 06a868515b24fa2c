"""K scalar networks on the same input."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.argument_kinds import is_number
from mochi_mm.utils.checks import check_integer


class SubnetBank(nn.Module):
    """Compute K two-layer networks ``g_k(z) = v_k . relu(W_k z + b_k) + c_k`` in one product.

    The K first layers are one linear layer of width K H, the K last ones one batched product: no
    loop over networks. Each starts as torch's linear layers do; drop-out stands between the layers.

    Args:
        in_channels: D, width of the input.
        num_subnets: K, at least 2.
        hidden_channels: H, width of the hidden layer of each.
        dropout: Share of hidden numbers that training sets to 0, in [0, 1).

    Raises:
        ValueError: A number out of range.

    >>> SubnetBank(in_channels=8, num_subnets=5, hidden_channels=16)(torch.randn(3, 8)).shape
    torch.Size([3, 5])
    """

    def __init__(
        self, in_channels: int, num_subnets: int, hidden_channels: int, dropout: float = 0.2
    ) -> None:
        super().__init__()
        check_integer('num_subnets', num_subnets, 100, least=2)
        check_integer('hidden_channels', hidden_channels, 512)
        self.dropout = _check_dropout(dropout)
        self.num_subnets, self.hidden_channels = num_subnets, hidden_channels
        self.first = nn.Linear(in_channels, num_subnets * hidden_channels)
        bound = hidden_channels**-0.5
        self.last = nn.Parameter(torch.empty(num_subnets, hidden_channels).uniform_(-bound, bound))
        self.last_bias = nn.Parameter(torch.empty(num_subnets).uniform_(-bound, bound))

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'num_subnets={self.num_subnets}, dropout={self.dropout}'

    def forward(self, rows: Tensor) -> Tensor:
        """Return the outputs (N, K) of rows (N, D), in the precision of the rows."""
        weight, bias = self.first.weight.to(rows.dtype), self.first.bias.to(rows.dtype)
        hidden = F.relu(F.linear(rows, weight, bias))  # (N, K H), network by network
        hidden = F.dropout(hidden, self.dropout, self.training)
        hidden = hidden.unflatten(1, (self.num_subnets, self.hidden_channels))  # (N, K, H)
        outputs = torch.einsum('nkh,kh->nk', hidden, self.last.to(rows.dtype))  # (N, K)
        return outputs + self.last_bias.to(rows.dtype)


def _check_dropout(value: float) -> float:
    if not is_number(value) or not 0 <= value < 1:
        raise ValueError(
            f'dropout is {value!r}; expected the share of hidden numbers set to 0, in [0, 1), such '
            'as 0.2.'
        )
    return value
