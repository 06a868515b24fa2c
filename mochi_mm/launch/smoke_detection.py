"""A detection config as a few CPU steps on generated scenes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mochi_mm.datasets.shapes.export import EXPORTERS
from mochi_mm.files.text_file import read_text
from mochi_mm.launch.renamed_scenes import RenamedScenes
from mochi_mm.registry import DATASETS, component_name

SIDE = 128
REGIONS = 16


def shrink_detection(config: Config, steps: int, root: Path) -> None:
    """Let ``config`` train ``steps`` iterations of one generated scene each; changed in place.

    The network, the transforms and the names of the classes stay, so heads are compared with them
    as in a real run. Scenes are written in the layout that the config reads; images are resized to
    128 pixels and few regions drawn, since a step of the full protocol takes a minute on a CPU.

    Args:
        config: A config of scope mmdet whose data set is ``VOCDetection`` or ``CocoDetection``.
        steps: Iterations.
        root: A folder for the scenes.

    Raises:
        ValueError: Another data set.
    """
    loader = config.train_dataloader
    loader.dataset = _scenes(loader.dataset, steps, root)
    loader.update(batch_size=1, num_workers=0, persistent_workers=False, pin_memory=False)
    loader.pop('prefetch_factor', None)
    loader.pop('timeout', None)  # torch takes none without workers
    for name in ('test_dataloader', 'test_evaluator', 'test_cfg'):
        config[name] = None
    _set(config.model, 'sampler', 'num', REGIONS)
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=steps)
    config.default_hooks.logger.interval = 1
    config.default_hooks.checkpoint.interval = steps
    for hook in [*(config.get('custom_hooks') or []), *config.default_hooks.values()]:
        if 'num_iters' in hook:  # precise batch norm
            hook['num_iters'] = steps


def _scenes(dataset: Any, count: int, root: Path) -> dict[str, Any]:
    """Write scenes and return a data set of them with the transforms of ``dataset``."""
    while 'pipeline' not in dataset:
        inner = dataset.get('datasets', [dataset.get('dataset')])[0]
        if inner is None:
            raise ValueError(f'the data set {dataset.get("type")} has no pipeline to smoke-test.')
        dataset = inner
    files = dict(
        VOCDetection=('voc', 'ImageSets/Main/train.txt', dict(sub_data_root='')),
        CocoDetection=('coco', 'annotations/instances_train.json', dict(img='train/')),
    )
    kind = component_name(dataset)
    if kind not in files:
        raise ValueError(
            f'--smoke knows the data sets {", ".join(files)}, this config has {dataset["type"]}.'
        )
    layout, ann_file, prefix = files[kind]
    classes = _classes(dataset, kind)
    EXPORTERS[layout](RenamedScenes(classes, count, SIDE), root, iter)
    pipeline = dataset['pipeline']
    for transform in pipeline:
        if 'scales' in transform:
            transform['scales'] = [(SIDE, SIDE)]
        elif 'scale' in transform:
            transform['scale'] = (SIDE, SIDE)
    return dict(
        type=dataset['type'],
        data_root=str(root),
        ann_file=ann_file,
        data_prefix=prefix,
        metainfo=dict(classes=classes),
        pipeline=pipeline,
    )


def _classes(dataset: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Return the classes of a data set: those that its config states, else those of its kind."""
    classes = (dataset.get('metainfo') or {}).get('classes')
    if classes is None:
        classes = DATASETS.get(kind).METAINFO['classes']
    return tuple(read_text(classes).splitlines() if isinstance(classes, str) else classes)


def _set(node: Any, section: str, key: str, value: Any) -> None:
    """Set ``key`` wherever a mapping called ``section`` has it."""
    for name, child in node.items() if isinstance(node, Mapping) else ():
        if name == section and isinstance(child, Mapping) and key in child:
            child[key] = value  # type: ignore[index]
        _set(child, section, key, value)
