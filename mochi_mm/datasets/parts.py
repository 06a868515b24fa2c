"""Data sets that are made of others: what the others must be, and whose pipeline runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.transforms import Compose
from mochi_mm.registry import DATASETS


def built_parts(datasets: Sequence[Any], where: str) -> list[ImageDataset]:
    """Return data sets, built where they are configs.

    Args:
        datasets: Configs or objects.
        where: Name of the setting that holds them, for errors.

    Raises:
        ValueError: None, or one that is no :class:`ImageDataset`.
    """
    if isinstance(datasets, (str, dict)) or not datasets:
        raise ValueError(f'{where} is {datasets!r}; expected a list of data sets, at least one.')
    for part in datasets:
        if part is None or (isinstance(part, dict) and 'type' not in part):
            raise ValueError(f"{where} has {part!r}; expected a data set, as dict(type='...').")
    parts = [DATASETS.build(part) if isinstance(part, dict) else part for part in datasets]
    for part in parts:
        if not isinstance(part, ImageDataset):
            raise ValueError(
                f'{where} has a {type(part).__name__}, whose samples are not keyed; expected data '
                'sets of mochi_mm, such as ImageFolder.'
            )
    return parts


def check_once(dataset: ImageDataset, name: str) -> None:
    """Refuse a data set that repeats its images.

    Args:
        dataset: The data set.
        name: What holds it and takes each image once, for the error.

    Raises:
        ValueError: It does.
    """
    if dataset.num_images != len(dataset):
        raise ValueError(
            f'{name}.dataset has {len(dataset)} samples of {dataset.num_images} images; expected '
            f'each image once: put RepeatDataset around {name} instead.'
        )


def true_labels(dataset: ImageDataset) -> np.ndarray:
    """Return (len,) int64, the labels before a data set within made some wrong or hid some."""
    return np.asarray(getattr(dataset, 'true_labels', dataset.labels), dtype=np.int64)


def hand_on(source: ImageDataset, dataset: ImageDataset, rows: Any) -> None:
    """Give a data set the ``targets`` and ``true_labels`` of another one, where it has them.

    Args:
        source: The other one.
        dataset: Samples of ``source``.
        rows: Number in ``source`` of each of its samples, or a slice.
    """
    for name in ('targets', 'true_labels'):
        values = getattr(source, name, None)
        if values is not None:
            setattr(dataset, name, values[rows])


def has_pipeline(dataset: ImageDataset) -> bool:
    """Return whether a data set, or a part of it, has transforms."""
    parts: Sequence[ImageDataset] = getattr(dataset, 'parts', ())
    return bool(dataset.pipeline.transforms) or any(map(has_pipeline, parts))


def hand_down(pipeline: Compose, parts: Sequence[ImageDataset], name: str) -> None:
    """Give ``pipeline`` to all parts, unless each has one of its own.

    What a part reads depends on its first transform, so the part must have it.

    Raises:
        ValueError: Transforms both here and there, or in some of the parts only.
    """
    having = [i for i, part in enumerate(parts) if has_pipeline(part)]
    if pipeline.transforms and having:
        raise ValueError(
            f'{name} has a pipeline and data set {having[0]} within it as well; expected one of '
            'the two.'
        )
    if having and len(having) < len(parts):
        without = next(i for i in range(len(parts)) if i not in having)
        raise ValueError(
            f'data set {having[0]} within {name} has a pipeline, data set {without} has none; '
            f'expected one in each, or {name}(pipeline=...) for all.'
        )
    if pipeline.transforms:
        for part in parts:
            _give(part, pipeline)


def _give(dataset: ImageDataset, pipeline: Compose) -> None:
    dataset.check_pipeline(pipeline)
    dataset.pipeline = pipeline
    for part in getattr(dataset, 'parts', ()):
        _give(part, pipeline)
