"""Exchange of rows among the ranks, each sent once."""

from __future__ import annotations

from itertools import accumulate

import torch
import torch.distributed as dist
from torch import Tensor

from mochi_mm.distributed.rows import rank


@torch.no_grad()
def exchange_rows(tensor: Tensor, order: Tensor, counts: list[int]) -> Tensor:
    """Return this rank's part of ``everything[order]``, where everything is all ranks' rows.

    Rank r keeps its number of rows, ``counts[r]``. Every row travels once, to the rank that needs
    it, where gathering would send all rows to all ranks.

    Args:
        tensor: (B_r, ...) rows of this rank.
        order: (sum of B_r,) int64 on the CPU, a permutation, the same on every rank.
        counts: Rows of each rank, in rank order.
    """
    me = rank()
    starts = torch.tensor([0, *accumulate(counts)])
    # For every place in the new order, which rank has its row and which rank gets it.
    owner = torch.searchsorted(starts, order, right=True) - 1
    taker = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    sent = (owner == me).nonzero().squeeze(1)
    received = (taker == me).nonzero().squeeze(1)
    # Sent in the order of the new places, so that every taker's rows lie side by side.
    outgoing = tensor[(order[sent] - starts[me]).to(tensor.device)].contiguous()
    incoming = tensor.new_empty((len(received), *tensor.shape[1:]))
    dist.all_to_all_single(
        incoming,
        outgoing,
        output_split_sizes=torch.bincount(owner[received], minlength=len(counts)).tolist(),
        input_split_sizes=torch.bincount(taker[sent], minlength=len(counts)).tolist(),
    )
    # They come grouped by owner, in the order of their places within each.
    places = owner[received].argsort(stable=True)
    result = torch.empty_like(incoming)
    result[places.to(tensor.device)] = incoming
    return result
