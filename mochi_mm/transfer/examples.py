"""Detections on a few test images, beside the annotated objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope

from mochi_mm.files.image_file import open_image
from mochi_mm.files.load_weights import load_for_test
from mochi_mm.visualization.detections import draw_detections


@dataclass(frozen=True)
class Objects:
    """Objects of an image: (N, 4) boxes, N labels, N texts, (N, H, W) masks or None."""

    boxes: np.ndarray
    labels: list[int]
    names: list[str]
    masks: np.ndarray | None


@dataclass(frozen=True)
class Example:
    """An RGB image (H, W, 3), its objects, and those that the detector found."""

    image: np.ndarray
    truth: Objects
    found: Objects


def detect_examples(
    config: Config, checkpoint: str | Path, num: int, min_score: float = 0.5
) -> list[Example]:
    """Run a trained detector on ``num`` evenly spaced images of the config's test set.

    Args:
        config: A detection config.
        checkpoint: Weights of that very detector.
        num: Number of images; fewer if the set is smaller.
        min_score: Findings below it are left out.

    Raises:
        FileNotFoundError: No checkpoint, or no data.
        ValueError: The checkpoint lacks weights of the detector.
    """
    init_default_scope('mmdet')
    model = revert_sync_batchnorm(MODELS.build(config.model)).eval()
    load_for_test(model, checkpoint)
    dataset = DATASETS.build(config.test_dataloader.dataset)
    classes = dataset.metainfo['classes']
    examples = []
    for index in np.linspace(0, len(dataset) - 1, min(num, len(dataset))).astype(int):
        with torch.no_grad():
            (sample,) = model.test_step(pseudo_collate([dataset[int(index)]]))
        found = sample.pred_instances
        with open_image(sample.img_path) as image:
            pixels = np.asarray(image.convert('RGB'))
        examples.append(
            Example(
                pixels,
                _objects(sample.gt_instances, classes),
                _objects(found[found.scores >= min_score], classes),
            )
        )
    return examples


def draw_examples(axes: Any, examples: list[Example]) -> None:
    """Draw each example in a row of two axes: what is there, and what was found."""
    for row, example in zip(axes, examples, strict=True):
        for axis, title, objects in zip(
            row, ('truth', 'detected'), (example.truth, example.found), strict=True
        ):
            draw_detections(
                axis, example.image, objects.boxes, objects.labels, objects.names, objects.masks
            )
            axis.set_title(title, fontsize=8, pad=10)


def _objects(instances: Any, classes: tuple[str, ...]) -> Objects:
    labels = instances.labels.tolist()
    names = [classes[label] for label in labels]
    if 'scores' in instances:
        scores = instances.scores.tolist()
        names = [f'{name} {score:.2f}' for name, score in zip(names, scores, strict=True)]
    masks = instances.get('masks')
    if masks is not None:
        masks = np.asarray(getattr(masks, 'masks', masks)).astype(bool)
    return Objects(instances.bboxes.numpy(), labels, names, masks)
