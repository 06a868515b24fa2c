"""Any config as two CPU steps on generated images."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mochi_mm.launch.config_parts import parts_of
from mochi_mm.launch.smoke_detection import shrink_detection
from mochi_mm.registry import component_name

BATCH = 4
STEPS = 2
# Parts with one row for each image.
BY_IMAGE = ('ClusterBank', 'InstanceBank', 'NegativeThreshold', 'PseudoLabels', 'SampleTable')
# Views of an image above which a batch holds two images only.
MANY_VIEWS = 4
# Generated images of a split into known and new classes: two of each class.
OPEN_WORLD = 20
# Pixels of images that are held in memory: not more than a view has.
HELD_SIZE = 32
# Hooks that measure features, of which these few images give none worth it.
_MEASURING = ('KNNHook', 'AnalysisHook', 'RepresentationGuardHook')


def to_smoke(config: Config, work_dir: str | None = None) -> Config:
    """Return ``config`` cut down to two training steps on the CPU, on generated images.

    Model, pipelines, hooks and schedule stay; data sets become a few generated scenes, batches
    four images, banks of one row per image as short, and mixing starts at once so that it is
    exercised. A detection config reads its scenes as files, see :func:`shrink_detection`. Nothing
    is read from ``data_root``. What is written to a temporary folder goes with the process, however
    it ends.

    Args:
        config: A training config of this project.
        work_dir: Folder of everything that is written; None makes a temporary folder.
    """
    config = Config(config.to_dict())
    root = Path(tempfile.mkdtemp(prefix='mochi_mm_smoke_'))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    if config.get('default_scope') == 'mmdet':
        shrink_detection(config, STEPS, root / 'scenes')
    else:
        _shrink(config)
    for name in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        config[name] = None
    if 'param_scheduler' in config:
        config.param_scheduler = None
    for hook in _hooks(config):
        if component_name(hook) == 'RunCheckHook':
            hook['memory'] = False  # any memory is longer than these few images
    config.pretrained = 'none'
    config.auto_scale_lr = None
    config.compile = None
    config.load_from, config.start_from, config.resume = None, None, False
    config.work_dir = work_dir or str(root)
    config.launcher = 'none'
    return config


def _hooks(config: Config) -> Iterator[Any]:
    """Yield the configs of all hooks."""
    named = (config.get('default_hooks') or {}).values()
    yield from (hook for hook in [*named, *(config.get('custom_hooks') or [])] if hook)


def _shrink(config: Config) -> None:
    for name, section in list(config.items()):
        if name.endswith('_dataloader') and isinstance(section, Mapping):
            _shrink_loader(section)
    for hook in config.get('custom_hooks') or []:
        for name, section in hook.items():
            if name.endswith('_dataloader'):
                _shrink_loader(section)
        if hook.get('start_epoch'):
            hook['start_epoch'] = 0  # exercised at once
    for part in parts_of(config.get('model')):
        for name in ('start_epoch', 'update_epoch'):
            if part.get(name):
                part[name] = 0  # exercised at once
        if component_name(part) == 'InvarianceHead' and part.get('num_negatives', 1) is not None:
            part['num_negatives'] = 1  # of the other images of the batch
        if component_name(part) in BY_IMAGE:
            part['length'] = BATCH * STEPS  # one row per generated image
            part.pop('min_size', None)  # of a cluster; the default fits
            if 'num_clusters' in part:
                part['num_clusters'] = 2 if isinstance(part['num_clusters'], int) else [2]
    config.train_cfg = dict(by_epoch=True, max_epochs=1)
    config.default_hooks.logger = dict(type='LoggerHook', interval=1)
    config.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    hooks = config.get('custom_hooks') or []
    config.custom_hooks = [h for h in hooks if component_name(h) not in _MEASURING]


def _shrink_loader(loader: Any) -> None:
    dataset, pipeline = loader['dataset'], _pipeline(loader['dataset'])
    # A generated data set stays what it is: its samples may have labels of their own.
    generated = _scenes(dataset)
    kind = dict(dataset) if 'num_scenes' in dataset else dict(generated)
    kind.pop('cache_dir', None)
    held = component_name(dataset) == 'InMemory'
    if held:
        kind = dict(type='InMemory', dataset=dict(generated, image_size=HELD_SIZE))
    split = _open_world(dataset)
    if split:
        known = min(split['num_known'], OPEN_WORLD // 4)
        world = dict(split, dataset=kind.pop('dataset', kind), num_known=known)
        kind = dict(type='InMemory', dataset=world) if held else world
    for step in parts_of(pipeline):
        if component_name(step) == 'SaliencyMask' and step.get('mask_dir') is not None:
            step['prob'] = 0.0  # generated images have no files, hence no masks of files
    loader['dataset'] = dict(kind, pipeline=pipeline)
    counts = [step.get('num_views', 1) for step in pipeline]
    views = max((n if isinstance(n, int) else sum(n) for n in counts), default=1)
    batch = BATCH if views <= MANY_VIEWS else 2
    batch = OPEN_WORLD // STEPS if split else batch
    scenes = loader['dataset']
    while 'dataset' in scenes:
        scenes = scenes['dataset']
    scenes['num_scenes'] = batch * STEPS
    loader.update(batch_size=batch, num_workers=0, persistent_workers=False, pin_memory=False)
    if loader.get('sampler', {}).get('repeats', 1) > 2:
        loader['sampler']['repeats'] = 2  # divides these small batches
    loader.pop('prefetch_factor', None)
    loader.pop('timeout', None)  # torch takes none without workers


def _scenes(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return generated scenes with the channels and bits of a data set, or of one within it."""
    if dataset.get('channels') is not None:
        words = dict(channels=dataset['channels'], bits=dataset.get('bits', 8))
        return dict(type='ChannelShapeScenes', **words)
    within = [dataset.get('dataset'), *(dataset.get('datasets') or [])]
    found = [_scenes(part) for part in within if isinstance(part, Mapping)]
    return found[0] if found else dict(type='ShapeScenes')


def _open_world(dataset: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the settings of a split into known and new classes, if the data set is one."""
    if component_name(dataset) == 'OpenWorld':
        return {name: dataset[name] for name in dataset if name not in ('dataset', 'pipeline')}
    within = dataset.get('dataset')
    return _open_world(within) if isinstance(within, Mapping) else None


def _pipeline(dataset: Mapping[str, Any]) -> Any:
    """Return the transforms of a data set, or of the first one within it that has some."""
    if dataset.get('pipeline'):
        return dataset['pipeline']
    within = [dataset.get('dataset'), *(dataset.get('datasets') or [])]
    found = (_pipeline(part) for part in within if isinstance(part, Mapping))
    return next((pipeline for pipeline in found if pipeline), [])
