"""Retrieval by class: for each query, how early the images of its class come."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mochi_mm.argument_kinds import is_integer
from mochi_mm.datasets.same_images import same_images
from mochi_mm.evaluation.check_search_data import check_search_data
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.retrieval_metrics import (
    average_precision_at_r,
    average_precisions,
    found_any,
    positive_ranks,
    r_precision,
    share_found,
)
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.utils.progress import progress_bar

#: Cosines that are held at a time; a few tensors of this size are.
ELEMENTS = 2**23


@torch.no_grad()
def retrieval(
    queries: Tensor,
    labels: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    k: Sequence[int] = (1, 5, 10),
    itself: bool = False,
    method: str = 'plain',
    elements: int = ELEMENTS,
    progress: bool = False,
) -> dict[str, float]:
    """Return the means over the queries of what their rankings of the bank by cosine are worth.

    A query without a positive, such as the only image of its class where queries and bank are one
    set, has no average precision: it counts in no mean, and ``share_counted`` is what is left.
    Rankings are made for some queries at a time, so memory does not grow with their number.

    Args:
        queries: (Q, C) features, any scale, on the device to compute on.
        labels: (Q,) their classes.
        bank: (M, C) features, any scale, anywhere.
        bank_labels: (M,) their classes.
        k: Numbers of candidates that are looked at.
        itself: Queries and bank are the same rows: each query is taken out of its own ranking.
        method: ``plain`` or ``trapezoid``, see :func:`average_precisions`.
        elements: Cosines that are held at a time.
        progress: Show a bar with the time left, if stderr is a terminal.

    Returns:
        In percent: ``retrieval/mAP``, ``retrieval/r_precision``, ``retrieval/map_at_r``, and for
        each k ``retrieval/recall_k{k}`` (queries with a positive among the first k) and
        ``retrieval/found_k{k}`` (positives among the first k); ``retrieval/share_counted``.

    Raises:
        ValueError: k below 1 or above the candidates of a query, rows that do not fit, a label
            below 0, one class, no query with a positive, features that are not finite.

    >>> rows = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> found = retrieval(rows, torch.tensor([0, 0, 1]), rows, torch.tensor([0, 0, 1]), [1], True)
    >>> found['retrieval/mAP'], round(found['retrieval/share_counted'], 1)
    (100.0, 66.7)
    """
    _check(queries, labels, bank, bank_labels, k, itself)
    chunk = max(1, elements // len(bank))
    device, starts = queries.device, range(0, len(queries), chunk)
    sums: dict[str, float] = {}
    with torch.autocast(device.type, enabled=False):
        rows, classes = unit_rows(bank.to(device)), bank_labels.to(device)
        for start in progress_bar(starts, 'retrieval', len(starts), progress):
            part = slice(start, start + chunk)
            cosine = _finite(unit_rows(queries[part]) @ rows.T)  # (q, M)
            relevant = labels[part].to(device)[:, None] == classes
            ranks, numbers = positive_ranks(cosine, relevant, _own(cosine, start, itself))
            for name, values in _values(ranks, numbers, k, method).items():
                sums[name] = sums.get(name, 0.0) + float(values.sum())
    return _means(sums, len(queries))


def retrieval_evaluate(
    model: nn.Module,
    bank_loader: DataLoader,
    query_loader: DataLoader,
    k: Sequence[int] = (1, 5, 10),
    method: str = 'plain',
    progress: bool = True,
) -> dict[str, float]:
    """Return what the rankings of a bank by the pooled features of ``model`` are worth.

    Where bank and queries are the same images, each query is taken out of its own ranking.

    Args:
        model: An algorithm, bare or in a data-parallel wrapper; its training flags are kept.
        bank_loader: Labeled samples that are found.
        query_loader: Labeled samples that are searched with; the same loader for the same images.
        k: Numbers of candidates that are looked at.
        method: See :func:`retrieval`.
        progress: Show bars while features are extracted and compared.

    Returns:
        As :func:`retrieval`; the same on every rank.

    Raises:
        ValueError: As :func:`retrieval`; data sets with other classes.
    """
    check_search_data(bank_loader, query_loader, k, 'retrieval')
    itself = bank_loader is query_loader or same_images(bank_loader.dataset, query_loader.dataset)
    bank, bank_labels = extract_features(model, bank_loader, progress, True)
    queries, labels = bank, bank_labels
    if not itself:
        queries, labels = extract_features(model, query_loader, progress, True)
    device = next(model.parameters()).device
    return retrieval(
        queries.to(device),
        labels,
        bank,
        bank_labels,
        k,
        itself,
        method,
        progress=progress,
    )


def _values(ranks: Tensor, numbers: Tensor, k: Sequence[int], method: str) -> dict[str, Tensor]:
    """Return (q,) values of each query by name, 0 for those without a positive."""
    return {
        'counted': (numbers > 0).double(),
        'mAP': average_precisions(ranks, numbers, method),
        'r_precision': r_precision(ranks, numbers),
        'map_at_r': average_precision_at_r(ranks, numbers),
        **{f'recall_k{n}': found_any(ranks, numbers, n) for n in k},
        **{f'found_k{n}': share_found(ranks, numbers, n) for n in k},
    }


def _means(sums: dict[str, float], queries: int) -> dict[str, float]:
    """Return the means over the queries that were counted, in percent.

    Raises:
        ValueError: None was.
    """
    counted = sums.pop('counted')
    if not counted:
        raise ValueError(
            f'none of the {queries} queries has another image of its class to find; expected '
            'classes of several images.'
        )
    result = {f'retrieval/{name}': 100 * total / counted for name, total in sums.items()}
    return {**result, 'retrieval/share_counted': 100 * counted / queries}


def _finite(cosine: Tensor) -> Tensor:
    if not bool(cosine.isfinite().all()):
        raise ValueError(
            'the features are not finite, so nothing is near anything; the network has diverged '
            'or its weights are damaged.'
        )
    return cosine


def _own(cosine: Tensor, start: int, itself: bool) -> Tensor | None:
    """Return (q, M) bool, where a candidate is the query; None where queries are other images."""
    if not itself:
        return None
    number = torch.arange(cosine.shape[1], device=cosine.device)
    return number == (start + number[: len(cosine), None])


def _check(
    queries: Tensor,
    labels: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    k: Sequence[int],
    itself: bool,
) -> None:
    for name, rows, classes in (('queries', queries, labels), ('bank', bank, bank_labels)):
        if rows.ndim != 2 or not len(rows) or classes.shape != rows.shape[:1]:
            raise ValueError(
                f'{name} have the shape {tuple(rows.shape)} and labels {tuple(classes.shape)}; '
                'expected (rows, width), at least one row, and a label for each.'
            )
        if bool((classes < 0).any()):
            raise ValueError(
                f'{int((classes < 0).sum())} of {len(classes)} labels of the {name} are below 0, '
                'which is no class; use images with labels.'
            )
    if queries.shape[1] != bank.shape[1] or (itself and queries.shape != bank.shape):
        raise ValueError(
            f'queries have the shape {tuple(queries.shape)} and the bank {tuple(bank.shape)}; '
            'expected one width, and the same rows where each query is among the bank.'
        )
    others = len(bank) - itself
    if not k or any(not is_integer(n) or n < 1 for n in k):
        raise ValueError(f'k is {list(k)!r}; expected one or more integers >= 1.')
    if max(k) > others:
        raise ValueError(
            f'k is {max(k)} but a query has {others} candidates; use a smaller k or a larger bank.'
        )
    if len(bank_labels.unique()) == 1:
        raise ValueError(
            f'all {len(bank)} images of the bank are of one class, so any ranking is perfect; '
            'expected several classes.'
        )
