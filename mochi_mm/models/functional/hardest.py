"""Selection of the hardest negatives of each query (Kalantidis et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

# Rows looked at together: their cosines stay in a core's cache.
_ROWS = 16


def select_hardest(similarity: Tensor, num_hard: int) -> tuple[Tensor, Tensor]:
    """Return the ``num_hard`` largest entries of each row, largest first.

    Exact everywhere. On a CPU, a long row is first reduced to the few entries that can be among
    the largest (:func:`select_by_threshold`); elsewhere ``torch.topk`` does it alone.

    Args:
        similarity: (B, K) cosines; -inf marks rows that must not be chosen, they come last.
        num_hard: N <= K.

    Returns:
        Their columns (B, N) int64 and their values (B, N), both without gradient.
    """
    similarity = similarity.detach()
    length = similarity.shape[1]
    worth_it = length % 8 == 0 and length >= max(4096, 8 * num_hard) and len(similarity) > 0
    on_cpu = similarity.device.type == 'cpu'
    if not (on_cpu and worth_it) or torch.compiler.is_compiling():
        values, index = torch.topk(similarity, num_hard, dim=1, sorted=True)
        return index, values
    parts = [select_by_threshold(block, num_hard) for block in similarity.split(_ROWS)]
    return torch.cat([index for index, _ in parts]), torch.cat([values for _, values in parts])


def select_by_threshold(similarity: Tensor, num_hard: int) -> tuple[Tensor, Tensor]:
    """Return what :func:`select_hardest` returns, sorting only entries above a safe threshold.

    The columns are dealt into groups. The N-th largest of the groups' maxima is a value that at
    least N entries reach, and with 2 N groups or more hardly more than N do. Smaller groups, of
    eight, then show where these entries are. A row that the threshold does not thin out (NaN, or
    most entries equal) goes through ``torch.topk``.

    Args:
        similarity: (B, K), K a multiple of eight.
        num_hard: N <= K / 8.
    """
    rows, length = similarity.shape
    eighth = length // 8
    fine = similarity.view(rows, 8, eighth).amax(1)  # (B, K / 8), maxima of groups of eight
    per_group = max(1, eighth // (4 * num_hard))
    groups = eighth // per_group
    # (B, groups), maxima of larger groups
    coarse = fine[:, : groups * per_group].reshape(rows, per_group, groups).amax(1)
    threshold = coarse.topk(num_hard, dim=1, sorted=False).values.amin(1)  # (B,)

    # (G,) each: row and column of the G groups of eight that reach the threshold
    row, column = (fine >= threshold[:, None]).nonzero().unbind(1)
    place = column[:, None] + torch.arange(8) * eighth  # (G, 8), columns of their entries
    values = similarity.take(place + row[:, None] * length)  # (G, 8)
    # (E,) positions, in the flattened (G, 8), of the E entries that reach it
    kept = (values >= threshold.index_select(0, row)[:, None]).flatten().nonzero().squeeze(1)
    row = row.index_select(0, kept >> 3)  # (E,)
    counts = torch.bincount(row, minlength=rows)  # (B,)
    if int(counts.min()) < num_hard or int(counts.max()) > length // 4:
        values, index = torch.topk(similarity, num_hard, dim=1, sorted=True)
        return index, values
    return _largest_of_ragged(values.take(kept), place.take(kept), row, counts, num_hard)


def _largest_of_ragged(
    values: Tensor, columns: Tensor, row: Tensor, counts: Tensor, num_hard: int
) -> tuple[Tensor, Tensor]:
    """Return columns and values of the largest entries of each row, from a flat list by row."""
    shape = (len(counts), int(counts.max()))
    # (E,) place of each entry among those of its row, then in the padded matrix
    slot = torch.arange(len(row)) - (counts.cumsum(0) - counts).index_select(0, row)
    slot += row * shape[1]
    # (B * longest,) each
    padded = values.new_full((shape[0] * shape[1],), float('-inf')).index_copy_(0, slot, values)
    of_slot = columns.new_zeros(shape[0] * shape[1]).index_copy_(0, slot, columns)
    largest, chosen = padded.view(shape).topk(num_hard, dim=1, sorted=True)  # (B, N) each
    return of_slot.view(shape).gather(1, chosen), largest
