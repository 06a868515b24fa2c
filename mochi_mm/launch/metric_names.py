"""Names of the figures that a validation reports, from its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mochi_mm.registry import component_name, nearest

_COCO = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
_OURS = {'mAP': 'AP', 'mAP_50': 'AP50', 'mAP_75': 'AP75'}


def check_metric(name: str, evaluator: Any) -> None:
    """Raise where an evaluator is known not to report a figure.

    Args:
        name: What ``save_best`` asks for.
        evaluator: ``val_evaluator`` of a config.

    Raises:
        ValueError: With the nearest names and all that there are.
    """
    names = metric_names(evaluator)
    if names is not None and name not in names:
        close = nearest(name, names, 2)
        hint = f'. Nearest: {", ".join(close)}' if close else ''
        raise ValueError(
            f'default_hooks.checkpoint.save_best={name!r} is not among the validation metrics; '
            f'they are {", ".join(names) or "none"}{hint}.'
        )


def metric_names(evaluator: Any) -> list[str] | None:
    """Return the names that an evaluator reports; None where one of its metrics is not known."""
    metrics = [evaluator] if isinstance(evaluator, Mapping) else list(evaluator or [])
    if len(metrics) == 1 and 'metrics' in metrics[0]:  # written out as an Evaluator
        return metric_names(metrics[0]['metrics'])
    found = [_names_of(metric) for metric in metrics]
    if not found or any(names is None for names in found):
        return None
    return [name for names in found for name in names or []]


def _names_of(metric: Mapping[str, Any]) -> list[str] | None:
    prefix = metric.get('prefix')
    kind = component_name(metric)
    if kind == 'TopKAccuracy':
        topk = metric.get('topk', (1, 5))
        numbers = [topk] if isinstance(topk, int) else list(topk)
        return [f'{prefix or "accuracy"}/top{k}' for k in numbers]
    if kind == 'VOCDetectionMetric':
        return [f'{prefix or "voc"}/{name}' for name in ('AP', 'AP50', 'AP75')]
    if kind in ('CocoDetectionMetric', 'CocoMetric'):
        return _coco_names(metric, kind == 'CocoDetectionMetric')
    return None


def _coco_names(metric: Mapping[str, Any], ours: bool) -> list[str] | None:
    """Return the figures of mmdet's COCO metric, or of this project's over it."""
    if metric.get('format_only'):
        return []
    kinds = metric.get('metric', 'bbox')
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if not {*kinds} <= {'bbox', 'segm'} or (metric.get('classwise') and not ours):
        return None  # recall of proposals, or figures under the names of classes
    items = metric.get('metric_items')
    items = _COCO if items is None else items
    if ours:
        items = [_OURS[item] for item in _OURS if item in items]
    return [f'{metric.get("prefix") or "coco"}/{kind}_{item}' for kind in kinds for item in items]
