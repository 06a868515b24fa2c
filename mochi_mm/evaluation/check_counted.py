"""Whether classes are grouped by the long tail that a model was trained on."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mochi_mm.evaluation.group_accuracy import GroupAccuracy
from mochi_mm.models.heads.class_counts import ClassCounts


def check_counted(model: nn.Module, evaluator: Any) -> None:
    """Refuse groups of classes by other counts than those that the loaded weights have seen.

    Args:
        model: The model, its weights loaded.
        evaluator: The evaluator of a test loop; of another kind it is left alone.

    Raises:
        ValueError: A :class:`GroupAccuracy` counts in another long tail than the model's heads did.
    """
    grouped = [m for m in getattr(evaluator, 'metrics', ()) if isinstance(m, GroupAccuracy)]
    for module in model.modules():
        if not isinstance(module, ClassCounts) or not module.from_data or not module.counts.any():
            continue
        trained = module.counts.cpu()
        for metric in grouped:
            if not torch.equal(trained, metric.counts):
                raise ValueError(
                    f'GroupAccuracy.dataset has {metric.counts.tolist()[:12]} images of the first '
                    f'classes, the weights were trained on {trained.tolist()[:12]}: the groups '
                    'many, medium and few would be those of another long tail. Give the options '
                    'of the training, such as imbalance_factor.'
                )
