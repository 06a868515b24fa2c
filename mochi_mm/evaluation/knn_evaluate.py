"""kNN accuracy of a network's features: how good they are without training anything on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from mmengine.dist import all_reduce, get_comm_device
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mochi_mm.datasets.same_images import same_images
from mochi_mm.distributed.rows import rank, world_size
from mochi_mm.evaluation.check_search_data import check_search_data
from mochi_mm.evaluation.class_groups import check_cuts, group_accuracy
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.knn import check_knn_settings, nearest_in_bank, vote
from mochi_mm.evaluation.learned_similarity import SIMILARITIES, LearnedFeatures
from mochi_mm.utils.checks import check_choice


def as_tuple(k: int | Sequence[int]) -> tuple[int, ...]:
    """Return one k or several as a tuple."""
    return (k,) if isinstance(k, int) else tuple(k)


def check_knn_data(
    bank_loader: DataLoader, query_loader: DataLoader, k: int | Sequence[int]
) -> None:
    """Refuse data that kNN cannot work on, before anything is computed.

    Raises:
        ValueError: k above the number of bank samples; a data set that declares samples without
            a label; data sets with other classes, or with the same images; a bank of one class.
    """
    fix = ', or take kNN out of the config (KNNHook, or bank_dataloader of a guard)'
    check_search_data(bank_loader, query_loader, as_tuple(k), 'kNN', fix)
    if same_images(bank_loader.dataset, query_loader.dataset):
        raise ValueError(
            'the bank and the queries of kNN are the same images, so each query would find itself; '
            'expected other images to be asked, such as those of the test set: set split (or '
            'data_root) of one of the two.'
        )


def count_hits(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the queries of each class with it first, and among the first five: (2, C) int64.

    A class that got no vote is never a hit, wherever a sort would put it.

    Args:
        scores: (Q, C) shares of the votes.
        labels: (Q,) true class.
    """
    share, order = scores.topk(min(5, scores.shape[1]), dim=1)
    hit = (order == labels[:, None]) & (share > 0)
    counts = labels.new_zeros(2, scores.shape[1])
    counts[0].index_add_(0, labels, hit[:, 0].to(labels))
    counts[1].index_add_(0, labels, hit.any(1).to(labels))
    return counts


def knn_accuracy(
    queries: Tensor,
    labels: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    ks: Sequence[int],
    temperature: float,
    chunk: int = 1024,
    similarity: Callable[[Tensor, Tensor], Tensor] | None = None,
    cuts: tuple[int, int] | None = None,
    progress: bool = False,
) -> dict[str, float]:
    """Return top-1 and top-5 accuracy in percent for each k; every rank takes part of the queries.

    Args:
        queries: (Q, C) features on the device to compute on, the same on every rank.
        labels: (Q,) their classes.
        bank: (M, C) features, anywhere.
        bank_labels: (M,) their classes.
        ks: Numbers of neighbors.
        temperature: Temperature of the votes.
        chunk: Queries scored at a time.
        similarity: In the place of the cosine, see :func:`nearest_in_bank`; the figures are then
            called ``knn_learned/...``.
        cuts: Rows of the bank above which a class has many, and below which it has few.
        progress: Show a bar with the time left, if stderr is a terminal.

    Returns:
        ``knn/top1_k{k}`` and, with more than five classes, ``knn/top5_k{k}``; with ``cuts``, top-1
        of each group as well, such as ``knn/many_over100_k{k}``.
    """
    num_classes = int(max(bank_labels.max(), labels.max())) + 1
    hits = torch.zeros(len(ks), 2, num_classes, dtype=torch.int64)
    mine, truth = queries[rank() :: world_size()], labels[rank() :: world_size()].to(queries.device)
    if len(mine):
        values, near = nearest_in_bank(
            mine, bank, bank_labels, max(ks), chunk, similarity=similarity, progress=progress
        )
        for start in range(0, len(mine), chunk):
            rows = slice(start, start + chunk)
            for i, k in enumerate(ks):
                scores = vote(values[rows, :k], near[rows, :k], num_classes, temperature)
                hits[i] += count_hits(scores, truth[rows]).cpu()
    hits = hits.to(get_comm_device())
    all_reduce(hits)
    hits = hits.cpu()
    percent = (100 * hits.sum(2).double() / len(queries)).tolist()
    result: dict[str, float] = {}
    name = 'knn_learned' if similarity else 'knn'
    for k, (top1, top5), by_class in zip(ks, percent, hits[:, 0], strict=True):
        result[f'{name}/top1_k{k}'] = top1
        if num_classes > 5:
            result[f'{name}/top5_k{k}'] = top5
        if cuts is not None:
            totals, counts = (
                torch.bincount(part.cpu(), minlength=num_classes) for part in (labels, bank_labels)
            )
            groups = group_accuracy(by_class, totals, counts, cuts)
            result.update({f'{name}/{group}_k{k}': value for group, value in groups.items()})
    return result


def knn_evaluate(
    model: nn.Module,
    bank_loader: DataLoader,
    query_loader: DataLoader,
    k: int | Sequence[int] = (20,),
    temperature: float = 0.07,
    progress: bool = True,
    similarity: str = 'cosine',
    cuts: Sequence[int] | None = None,
) -> dict[str, float]:
    """Return the kNN accuracy of ``model`` on the queries, given the labeled samples of the bank.

    Args:
        model: An algorithm, bare or in a data-parallel wrapper; its training flags are kept.
        bank_loader: Labeled samples that vote, usually the training set without augmentation.
        query_loader: Labeled samples to classify.
        k: One number of neighbors, or several that share one search.
        temperature: Temperature of the votes ``exp(cosine / temperature)``.
        progress: Show bars while features are extracted and compared.
        similarity: ``cosine`` of the pooled features, or ``learned``: that of a head such as
            :class:`~mochi_mm.models.heads.BregmanHead`, of what the head compares.

        cuts: Samples of the bank above which a class has many, and below which it has few.

    Returns:
        ``knn/top1_k{k}`` in percent and, with more than five classes, ``knn/top5_k{k}``; with
        ``cuts``, top-1 of each group as well. The same on every rank. By a learned similarity,
        ``knn_learned/...``.

    Raises:
        ValueError: An unknown similarity, or one that the model has not learned; k above the size
            of the bank, missing labels, other classes in bank and queries, features that are not
            finite.
    """
    ks = as_tuple(k)
    check_knn_settings(ks, temperature)
    check_knn_data(bank_loader, query_loader, ks)
    learned = learned_features(model, similarity)
    encode, compare = (learned.encode, learned.similarity) if learned else (None, None)
    bank, bank_labels = extract_features(model, bank_loader, progress, True, encode)
    if learned:
        # Many rows can be equally near, and data sets stand class by class: in their order, all
        # ties would vote for the first class.
        order = torch.randperm(len(bank), generator=torch.Generator().manual_seed(0))
        bank, bank_labels = bank[order], bank_labels[order]
    queries, labels = extract_features(model, query_loader, progress, True, encode)
    device = next(model.parameters()).device
    groups = None if cuts is None else check_cuts(cuts)
    return knn_accuracy(
        queries.to(device),
        labels,
        bank,
        bank_labels,
        ks,
        temperature,
        similarity=compare,
        cuts=groups,
        progress=progress,
    )


def learned_features(model: nn.Module, similarity: str) -> LearnedFeatures | None:
    """Return what the neighbors are nearest by, None for the cosine of the pooled features.

    Raises:
        ValueError: An unknown similarity, or one that the model has not learned.
    """
    check_choice('similarity', similarity, SIMILARITIES)
    return LearnedFeatures.of(model) if similarity == 'learned' else None
