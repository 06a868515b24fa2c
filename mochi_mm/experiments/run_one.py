"""One run of a sweep: train or go on, then measure the network at the end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from mochi_mm.evaluation.analysis import AnalysisSettings, analyse
from mochi_mm.evaluation.analysis.records import read_analysis
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.knn_evaluate import knn_accuracy
from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.result_record import commit, result_record
from mochi_mm.experiments.suites import SUITES
from mochi_mm.experiments.sweep import Run
from mochi_mm.files.checkpoint import load_backbone
from mochi_mm.files.text_file import read_json
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.launch.fresh_model import fresh_model

K = 20
TEMPERATURE = 0.07
#: How often a run is looked at while it trains.
LOOKS = 4


def run_config(root: Path, run: Run) -> Any:
    """Return the run's config, cut to the budget of its sweep.

    Network, batch and rates are the config's. The cosine ends with the last epoch, the warm-up
    takes at most a fifth of the steps of a cut budget, and mixing starts after the same share of
    the run as in the config.

    Args:
        root: The repository.
        run: Which.
    """
    sweep, setting = run.sweep, run.setting
    options = {**setting.options, 'data_root': str(sweep.data_root / run.data)}
    config = load_config(root / setting.config, options)
    _set_data(config, run)
    epochs, planned = sweep.epochs, config.train_cfg.max_epochs
    config.train_cfg.max_epochs = epochs
    if 'start_epoch' in config.model.head:
        config.model.head.start_epoch = round(config.model.head.start_epoch * epochs / planned)
    for schedule in config.param_scheduler:
        if schedule.get('by_epoch', True):
            schedule.update(T_max=epochs, end=epochs)
        elif images := _images(sweep.subset_list(run.data)):
            steps = epochs * images // config.train_dataloader.batch_size
            schedule.end = min(schedule.end, max(1, steps // 5))
    interval = max(1, -(-epochs // LOOKS))
    loaders = {f'{name}_dataloader': config[f'{name}_dataloader'] for name in ('bank', 'query')}
    config.custom_hooks = [
        dict(type='KNNHook', interval=interval, k=K, temperature=TEMPERATURE, **loaders),
        dict(type='AnalysisHook', interval=interval, dataloader=config.query_dataloader),
    ]
    config.default_hooks.checkpoint.update(interval=max(1, epochs // 20), max_keep_ckpts=1)
    config.default_hooks.logger.interval = 20
    config.randomness = dict(seed=run.seed)
    config.work_dir = str(run.folder)
    config.experiment_name = f'{run.setting.name}_{time.time_ns()}'
    config.resume = (run.folder / 'last_checkpoint').is_file()
    check_config(config)
    return config


def _set_data(config: Any, run: Run) -> None:
    """Point the loaders at the images of the sweep."""
    workers, images = SUITES[run.sweep.suite].num_workers, run.sweep.subset_list(run.data)
    for name in ('train_dataloader', 'bank_dataloader', 'query_dataloader'):
        loader = config[name]
        loader.dataset.pop('index_cache', None)  # several runs would write it at once
        if workers == 0:
            loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
        if images is not None and name != 'query_dataloader':
            loader.dataset.include = str(images)


def _images(path: Path | None) -> int:
    return 0 if path is None else len(path.read_text(encoding='utf-8').splitlines())


def train(config: Any) -> None:
    """Train to the end, from the newest checkpoint where there is one."""
    from mochi_mm.launch.runner import build_runner

    build_runner(config).train()


def build_model(config: Any, seed: int) -> Any:
    """Return the model as it is before the first step."""
    from mmengine.registry import init_default_scope

    init_default_scope('mochi_mm')
    return fresh_model(config.model, seed).to('cuda' if torch.cuda.is_available() else 'cpu')


def accuracies(model: Any, config: Any) -> dict[str, float]:
    """Return kNN and linear top-1 in percent, and the l2 that was chosen for the linear probe.

    The images trained on vote and are fitted, the validation images are classified; neither is
    augmented. The probe is that of ``tools/analysis/linear_probe.py``, its l2 chosen from the same
    values, ``L2_GRID``.
    """
    from mmengine.runner import Runner

    loaders = (config.bank_dataloader, config.query_dataloader)
    (bank, labels), (queries, truth) = (
        extract_features(model, Runner.build_dataloader(loader, seed=0), require_labels=True)
        for loader in loaders
    )
    device = next(model.parameters()).device
    found = knn_accuracy(queries.to(device), truth, bank, labels, (K,), TEMPERATURE)
    l2, _ = choose_l2(bank, labels, L2_GRID, device=device)
    classes = int(max(labels.max(), truth.max())) + 1
    linear = fit_linear(bank, labels, l2, classes, device=device).accuracy(queries, truth)
    return {
        f'knn/top1_k{K}': found[f'knn/top1_k{K}'],
        'fast_linear/top1': linear['top1'],
        'fast_linear/l2': l2,
    }


def untrained_scalars(model: Any, config: Any) -> dict[str, float]:
    """Return what can be measured of features that nobody trained; there is no memory yet."""
    from mmengine.runner import Runner

    from mochi_mm.evaluation.analysis import view_batches
    from mochi_mm.registry import DATASETS

    measures = ('class_alignment', 'view_alignment', 'uniformity', 'rank')
    settings = AnalysisSettings(measures)
    train = config.train_dataloader
    images = DATASETS.build(train.dataset)
    views = view_batches(images, settings.num_queries, settings.seed, train.batch_size)
    queries = Runner.build_dataloader(config.query_dataloader, seed=0)
    return analyse(model, queries, views, settings).scalars


def note_commit(run: Run, resumed: bool) -> list[str]:
    """Keep the commit that a start has the code of; return those of all starts of the run.

    Args:
        run: Which.
        resumed: Whether it goes on from a checkpoint. Who wrote that is unknown where an earlier
            version did not keep it.
    """
    before: list[str] = []
    if resumed:
        kept = run.commits_path.is_file()
        before = read_json(run.commits_path)['commits'] if kept else ['unknown']
    commits = [*before, commit()]
    run.folder.mkdir(parents=True, exist_ok=True)
    write_json(run.commits_path, dict(commits=commits))
    return commits


def run_one(root: Path, run: Run) -> dict[str, Any]:
    """Do what is not done yet of one run, write its result, and return it.

    Raises:
        Whatever training or measuring raises; no result is written then.
    """
    start, began = time.process_time(), time.time()
    config = run_config(root, run)
    resumed = bool(config.resume)
    commits = note_commit(run, resumed)  # now: later the tree may be another one
    if run.setting.role == 'untrained':
        model = build_model(config, run.seed)
        scalars = untrained_scalars(model, config)
    else:
        train(config)
        last = f'epoch_{run.sweep.epochs}'
        record, _ = read_analysis(run.folder / 'analysis' / f'{last}.json')
        scalars = record['scalars']
        model = build_model(config, run.seed)
        print(load_backbone(model, run.folder / f'{last}.pth'))
    metrics = accuracies(model, config)
    origin = result_record('evidence', run.setting.config, metrics, run.setting.name)
    result = dict(
        data=run.data,
        setting=run.setting.name,
        seed=run.seed,
        budget=run.sweep.budget,
        values={**metrics, **scalars},
        cpu_seconds=round(time.process_time() - start),
        wall_seconds=round(time.time() - began),
        resumed=resumed,
        commit=', '.join(dict.fromkeys(commits)),
        commits=commits,
        **{name: origin[name] for name in ('config', 'hardware', 'versions', 'date')},
    )
    write_json(run.result_path, result)
    return result
