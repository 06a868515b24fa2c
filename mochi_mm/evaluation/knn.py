"""Weighted k-nearest-neighbor classification (Wu et al. 2018, instance discrimination, 3.4).

The search runs over blocks of queries and blocks of the bank and keeps the best k so far, so its
memory does not grow with the product of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mochi_mm.argument_kinds import is_integer
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.utils.checks import check_number
from mochi_mm.utils.progress import progress_bar


def check_knn_settings(ks: Sequence[int], temperature: float) -> None:
    """Raise ``ValueError`` unless every k is an integer >= 1 and ``temperature`` above 0."""
    if not ks or any(not is_integer(k) or k < 1 for k in ks):
        raise ValueError(f'k is {list(ks)!r}; expected one or more integers >= 1.')
    check_number('temperature', temperature, 0.07)


def _check_rows(queries: Tensor, bank: Tensor, bank_labels: Tensor, k: int) -> None:
    for name, rows in (('queries', queries), ('bank', bank)):
        if rows.ndim != 2 or len(rows) == 0:
            raise ValueError(
                f'{name} has shape {tuple(rows.shape)}; expected (rows, width), at least one row.'
            )
    if queries.shape[1] != bank.shape[1]:
        raise ValueError(
            f'queries are {queries.shape[1]} wide, the bank {bank.shape[1]}; take both from the '
            'same network.'
        )
    if bank_labels.shape != bank.shape[:1]:
        raise ValueError(
            f'bank_labels has shape {tuple(bank_labels.shape)} for {len(bank)} bank rows; '
            'expected one label for each row.'
        )
    if k > len(bank):
        raise ValueError(
            f'k is {k} but the bank holds {len(bank)} rows; use a smaller k or a larger bank.'
        )


@torch.no_grad()
def nearest_in_bank(
    queries: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    k: int,
    query_chunk: int = 1024,
    bank_chunk: int = 32768,
    similarity: Callable[[Tensor, Tensor], Tensor] | None = None,
    progress: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the cosine and the label of the k nearest bank rows of each query, nearest first.

    Computed in float32 on the device of ``queries``; the bank may lie elsewhere, its blocks are
    moved one by one.

    Args:
        queries: (Q, C) features, any scale.
        bank: (M, C) features, any scale.
        bank_labels: (M,) int64.
        k: Number of neighbors, at most M.
        query_chunk: Queries compared at a time.
        bank_chunk: Bank rows compared at a time.
        similarity: Function of (q, C) and (m, C) float32 rows that takes the place of the cosine
            and returns (q, m); None for the cosine. Of equal similarities it is left open which
            are among the nearest.
        progress: Show a bar with the time left, if stderr is a terminal.

    Returns:
        similarity (Q, k) float32 and labels (Q, k) int64.

    Raises:
        ValueError: Empty input, widths or numbers that do not match, k above M, features that
            are not finite.
    """
    _check_rows(queries, bank, bank_labels, k)
    device = queries.device
    compare, prepare = (similarity, Tensor.float) if similarity else (_products, unit_rows)
    nearest = torch.full((len(queries), k), -torch.inf, device=device)
    labels = torch.full((len(queries), k), -1, dtype=torch.int64, device=device)
    with torch.autocast(device.type, enabled=False):
        starts = range(0, len(bank), bank_chunk)
        for start in progress_bar(starts, 'neighbors', len(starts), progress):
            block = prepare(bank[start : start + bank_chunk].to(device))
            block_labels = bank_labels[start : start + bank_chunk].to(device)
            for first in range(0, len(queries), query_chunk):
                rows = slice(first, first + query_chunk)
                alike = compare(prepare(queries[rows]), block)  # (q, m)
                near, index = alike.topk(min(k, len(block)), dim=1)  # (q, min(k, m)) each
                candidates = torch.cat([nearest[rows], near], dim=1)  # (q, k + min(k, m))
                candidate_labels = torch.cat([labels[rows], block_labels[index]], dim=1)
                nearest[rows], best = candidates.topk(k, dim=1)  # (q, k) each
                labels[rows] = candidate_labels.gather(1, best)  # (q, k)
    # A NaN ranks above every number, so one in the bank shows up here too.
    if not torch.isfinite(nearest).all():
        raise ValueError(
            'the features are not finite, so nothing is near anything; the network has diverged '
            'or its weights are damaged.'
        )
    return nearest, labels


def _products(rows: Tensor, candidates: Tensor) -> Tensor:
    return rows @ candidates.T


def vote(similarity: Tensor, labels: Tensor, num_classes: int, temperature: float) -> Tensor:
    """Return each class's share of the votes ``exp(similarity / temperature)``.

    Dividing by the sum of the votes changes no ranking and cannot overflow at a small
    temperature.

    Args:
        similarity: (Q, k) cosine of the neighbors.
        labels: (Q, k) int64 in [0, num_classes).
        num_classes: Width of the result.
        temperature: > 0.

    Returns:
        (Q, num_classes); rows sum to 1, a class without a neighbor has exactly 0.
    """
    weight = torch.softmax(similarity / temperature, dim=1)  # (Q, k)
    return weight.new_zeros(len(weight), num_classes).scatter_add_(1, labels, weight)


def check_bank_labels(bank_labels: Tensor, num_classes: int) -> None:
    """Raise ``ValueError`` unless every label is in [0, num_classes)."""
    wrong = bank_labels[(bank_labels < 0) | (bank_labels >= num_classes)]
    if len(wrong):
        raise ValueError(
            f'the bank holds the label {int(wrong[0])} ({len(wrong)} of {len(bank_labels)} rows); '
            f'expected 0 to {num_classes - 1}. -1 means no label: use a data set with labels.'
        )


def knn_scores(
    queries: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    num_classes: int,
    ks: Sequence[int],
    temperature: float = 0.07,
    query_chunk: int = 1024,
    bank_chunk: int = 32768,
) -> dict[int, Tensor]:
    """Return the class scores of each query for several k that share one search.

    Args:
        queries: (Q, C) features, any scale.
        bank: (M, C) features, any scale.
        bank_labels: (M,) int64 in [0, num_classes).
        num_classes: Width of the scores.
        ks: Numbers of neighbors, each at most M.
        temperature: Temperature of the votes ``exp(cosine / temperature)``.
        query_chunk: Queries compared at a time.
        bank_chunk: Bank rows compared at a time.

    Returns:
        {k: (Q, num_classes) float32 shares of the votes}, see :func:`vote`.

    Raises:
        ValueError: As in :func:`nearest_in_bank`; a label outside [0, num_classes), -1 included.
    """
    check_knn_settings(ks, temperature)
    check_bank_labels(bank_labels, num_classes)
    similarity, labels = nearest_in_bank(
        queries, bank, bank_labels, max(ks), query_chunk, bank_chunk
    )
    return {k: vote(similarity[:, :k], labels[:, :k], num_classes, temperature) for k in ks}


def knn_predict(
    queries: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    num_classes: int,
    k: int,
    temperature: float = 0.07,
    query_chunk: int = 1024,
    bank_chunk: int = 32768,
) -> Tensor:
    """Return the (Q, num_classes) scores of one k; see :func:`knn_scores`."""
    return knn_scores(
        queries, bank, bank_labels, num_classes, (k,), temperature, query_chunk, bank_chunk
    )[k]
