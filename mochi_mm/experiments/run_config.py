"""The config of one run: its setting's, cut to the budget of its sweep."""

from __future__ import annotations

import time
from typing import Any

from mochi_mm.experiments.images import loaders_of
from mochi_mm.experiments.sweep import Run
from mochi_mm.files.backbone_file import backbone_path
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.launch.config_parts import parts_of
from mochi_mm.launch.smoke import BY_IMAGE
from mochi_mm.registry import component_name

#: Hooks that measure; those of a sweep are its measures'.
_WATCHERS = ('KNNHook', 'AnalysisHook', 'RepresentationGuardHook')
#: What validates and tests, likewise.
_CHECKS = tuple(
    f'{s}_{part}' for s in ('val', 'test') for part in ('dataloader', 'cfg', 'evaluator')
)


def run_config(run: Run) -> Any:
    """Return the config of a run, checked.

    Network, batch and rates are the config's. The cosine ends with the last epoch, the warm-up
    takes at most a fifth of the steps of a cut budget, a run that starts from another one takes its
    encoder, and what has a ``start_epoch``, such as
    mixing, starts after the same share of the run as in the config, unless the suite leaves it. A
    bank or table with one row per image is as long as the images are many: other rows would stay
    random, and easy to tell apart for ever. The measures of the suite take the place of validation
    and test.

    Args:
        run: Run whose config is made.
    """
    sweep, setting, suite = run.sweep, run.setting, run.sweep.suite
    options = {**suite.options, **setting.options}
    if setting.data:
        options['data_root'] = str(sweep.data_root / setting.data)
    config = load_config(sweep.root / setting.config, options)
    for name in _CHECKS:
        config[name] = None
    config.train_cfg.pop('val_interval', None)
    suite.images.set_in(config, sweep.lists(setting.data))
    if suite.num_workers is not None:
        for _, loader in loaders_of(config):
            _set_workers(loader, suite.num_workers)
    if suite.in_memory:
        for _, loader in loaders_of(config):
            _hold(loader)
    images = suite.images.count(config)
    _cut(config, run.epochs, images, suite.shares)
    interval = max(1, -(-run.epochs // suite.looks))
    hooks = [h for h in config.get('custom_hooks') or [] if component_name(h) not in _WATCHERS]
    for measure in suite.measures:
        hooks += measure.hooks(config, interval)
    config.custom_hooks = hooks
    config.default_hooks.checkpoint.update(interval=max(1, run.epochs // 20), max_keep_ckpts=1)
    config.default_hooks.logger.interval = config.log_processor.window_size = 20
    config.randomness = dict(seed=run.seed)
    config.work_dir = str(run.folder)
    config.experiment_name = f'{setting.name}_{time.time_ns()}'
    config.resume = (run.folder / 'last_checkpoint').is_file()
    if run.start is not None and not config.resume:
        _start_from(config, run.start, setting.data)
    check_config(config)
    return config


def _start_from(config: Any, run: Run, data: str) -> None:
    """Let a config of images of ``data`` start from the encoder that a run ends with.

    Raises:
        FileNotFoundError: It has not ended.
    """
    if not run.weights_path.is_file():
        raise FileNotFoundError(
            f'no {run.weights_path}, which this run starts from; expected {run.name} to be trained '
            'before it: leave out --settings, or name both.'
        )
    if run.setting.data == data:
        config.load_from, config.load_partial = str(run.weights_path), ['backbone', 'neck']
    else:
        config.start_from = dict(weights=str(backbone_path(run.weights_path)))


def _set_workers(loader: Any, number: int) -> None:
    loader.num_workers = number
    if number == 0:
        loader.update(timeout=0, persistent_workers=False, pin_memory=False)


def _hold(loader: Any) -> None:
    """Put ``InMemory`` around the data set of a loader that does not have it."""
    if loader.dataset.type != 'InMemory':
        within = loader.dataset
        pipeline = within.pop('pipeline', [])  # one that lies deeper is refused by InMemory
        loader.dataset = dict(type='InMemory', dataset=within, pipeline=pipeline)


def _cut(config: Any, epochs: int, images: int, shares: bool) -> None:
    """Cut schedules, starts and banks to ``epochs`` over ``images`` (0 where all are taken)."""
    planned, config.train_cfg.max_epochs = config.train_cfg.max_epochs, epochs
    for part in parts_of([config.model, config.get('custom_hooks') or []]):
        for name in ('start_epoch', 'update_epoch', 'end_epoch'):
            if shares and part.get(name) is not None:
                part[name] = round(part[name] * epochs / planned)
        if images and component_name(part) in BY_IMAGE:
            part['length'] = images
    for schedule in config.param_scheduler:
        if schedule.get('by_epoch', True):
            schedule.update(T_max=epochs, end=epochs)
        elif images:
            steps = epochs * images // config.train_dataloader.batch_size
            schedule.end = min(schedule.end, max(1, steps // 5))
