"""Check of the data sets of a search: labels, classes and sizes, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.utils.data import DataLoader

from mochi_mm.utils.class_names import check_same_classes


def check_search_data(
    bank_loader: DataLoader, query_loader: DataLoader, k: Sequence[int], what: str, fix: str = ''
) -> None:
    """Refuse data in which nothing can be searched by class.

    Args:
        bank_loader: Samples that are found.
        query_loader: Samples that are searched with.
        k: Numbers of neighbors.
        what: What compares the classes, for the error.
        fix: Another way out where labels are missing, for the error.

    Raises:
        ValueError: k above the number of bank samples; a data set that declares samples without
            a label; data sets with other classes; a bank of one class.
    """
    size = len(bank_loader.dataset)  # type: ignore[arg-type]
    if max(k) > size:
        raise ValueError(
            f'k is {max(k)} but the data set of the bank has {size} samples; use a smaller k or a '
            'larger bank.'
        )
    for name, loader in (('bank', bank_loader), ('query', query_loader)):
        labels = getattr(loader.dataset, 'labels', None)
        if labels is not None and bool((torch.as_tensor(labels) < 0).any()):
            raise ValueError(
                f'the {name} data set has samples without a label (gt_label -1), so {what} has no '
                'classes to compare; use a data set with labels, for an image folder one '
                f'sub-folder for each class{fix}.'
            )
    check_same_classes(bank_loader.dataset, query_loader.dataset, 'bank', 'query')
    known = getattr(bank_loader.dataset, 'labels', None)
    if known is not None and len(torch.as_tensor(known).unique()) == 1:
        raise ValueError(
            f'all {size} samples of the bank are of one class, so every network would find it, '
            'with 100 %; expected several classes. Set data_root (or split) to the folder whose '
            'sub-folders are the classes.'
        )
