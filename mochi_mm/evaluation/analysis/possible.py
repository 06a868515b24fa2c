"""Measures that a network and its data allow, and why others are not possible."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor

from mochi_mm.evaluation.analysis.settings import (
    LAYERS,
    MEMORY_MEASURES,
    AnalysisSettings,
)
from mochi_mm.evaluation.measures.alignment import check_classes
from mochi_mm.models.necks.split_neck import SplitNeck
from mochi_mm.structures.features import CELLS

_MOST = 1024


def missing_layers(
    model: Any,
    settings: AnalysisSettings,
    absent: Mapping[str, str],
    missing: MutableMapping[str, str],
) -> list[str]:
    """Return the layers that are measured; note in ``missing`` why another is not.

    Raises:
        ValueError: One that was asked for by name is not there.
    """
    reasons = dict(absent)
    if model.neck is None:
        reasons.setdefault('neck', f'{type(model).__name__} has no neck')
    elif isinstance(model.neck, SplitNeck):
        reasons.setdefault('neck', 'the neck is split: several embeddings per image, not one')
    layers = []
    for layer in settings.layers or LAYERS:
        if layer not in reasons:
            layers.append(layer)
        elif settings.layers is not None:
            raise ValueError(f'layer {layer!r} was asked for, but {reasons[layer]}.')
        else:
            missing[layer] = reasons[layer]
    return layers


def missing_measures(
    model: Any,
    settings: AnalysisSettings,
    absent: Mapping[str, str],
    labels: Tensor,
    views: Any,
    missing: MutableMapping[str, str],
) -> None:
    """Note in ``missing`` why a wanted measure is not possible.

    Args:
        model: The algorithm.
        settings: Measures that are wanted.
        absent: Measures that the checkpoint rules out.
        labels: (M,) of the samples whose features are measured.
        views: The data set of the views.
        missing: Written to.

    Raises:
        ValueError: One that was asked for by name is not possible.
    """
    reasons = {name: why for name, why in absent.items() if name not in LAYERS}
    if settings.wanted('class_alignment') and (why := _unaligned(labels)):
        reasons['class_alignment'] = why
    if settings.wanted('view_alignment') and len(views[0]['inputs']) < 2:
        reasons['view_alignment'] = 'the pipeline of the views makes one view of each image'
    if why := no_memory(model):
        reasons.update({name: why for name in MEMORY_MEASURES if name not in reasons})
    elif settings.wanted('false_negatives') and 'false_negatives' not in reasons:
        if why := _no_classes(model.head):
            reasons['false_negatives'] = why
        elif int(views[0]['data_samples']['gt_label']) < 0:
            reasons['false_negatives'] = 'the data set of the views has no labels'
    for name, why in reasons.items():
        if settings.required(name):
            raise ValueError(f'measure {name!r} was asked for, but {why}.')
        if settings.wanted(name):
            missing[name] = why
    wants_memory = any(settings.wanted(m) and m not in missing for m in MEMORY_MEASURES)
    if wants_memory and not len(model.head.mixing.mixers):
        missing['synthetic'] = f'{type(model.head).__name__} of this config has no mixers'


def default_num_hard(head: Any, settings: AnalysisSettings) -> int:
    """Return the number of hard negatives to analyze.

    Raises:
        ValueError: More than the memory has.
    """
    length = int(head.memory.length)
    if settings.num_hard is None:
        return max(1, min(_MOST, length // 4))
    if settings.num_hard > length:
        raise ValueError(
            f'num_hard is {settings.num_hard} but the memory holds {length} keys; expected at '
            f'most {length}.'
        )
    return int(settings.num_hard)


def _unaligned(labels: Tensor) -> str:
    """Return why these labels give no pairs of one class, or nothing."""
    try:
        check_classes(torch.zeros(len(labels), 1), labels)
    except ValueError as error:
        return str(error).rstrip('.')
    return ''


def no_memory(model: Any) -> str:
    """Return why an algorithm has no memory of negatives to look at, or nothing."""
    if model.head is None:
        return f'{type(model).__name__} has no head, and so no memory of negatives'
    if hasattr(model.head, 'memories'):
        return f'{type(model.head).__name__} has several memories; one is looked at here'
    if getattr(model.head, 'memory', None) is None:
        return f'{type(model.head).__name__} has no memory of negatives'
    if not hasattr(model, 'embed_pair'):
        return f'{type(model).__name__} has no pair of query and key encoder'
    return _no_pair(model.head)


def _no_pair(head: Any) -> str:
    """Return why a query and its key alone are not what a head compares, or nothing."""
    if getattr(head, 'tap', '') == CELLS:
        return f'{type(head).__name__} compares cells of feature maps; whole images are looked at'
    if getattr(head, 'uses_features', False):
        return (
            f'{type(head).__name__} has a center of each class among its candidates and tells no '
            'own key from a memory'
        )
    views = getattr(head, 'min_views', 2)
    if views > 2:
        return (
            f'{type(head).__name__} compares at least {views} views of each image; a query and '
            'one key are looked at here'
        )
    return ''


def _no_classes(head: Any) -> str:
    """Return why the labels that a memory holds are not the classes of the data, or nothing."""
    if head.table is not None:
        return 'the labels of the memory come from a table, not from the data set'
    if head.label_key != 'gt_label':
        return f'the labels of the memory are {head.label_key}, not gt_label of the data set'
    if bool((head.memory.labels < 0).all()):
        return 'no row of the memory has a known class'
    return ''
