"""The config of a run: its setting's, at the budget of the sweep."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mochi_mm.experiments.images import loaders_of, source_of
from mochi_mm.experiments.run_config import run_config
from mochi_mm.experiments.setting import UNTRAINED
from mochi_mm.experiments.suite import Suite
from mochi_mm.experiments.suites import read_suite
from mochi_mm.experiments.sweep import Run, Sweep
from mochi_mm.launch.config import load_config
from tests.experiments.toy import cut
from tests.toy_runner import REPOSITORY


def run_of(tmp_path: Path, name: str, suite: Suite, setting: str, lines: int = 10000) -> Run:
    sweep = Sweep(name, suite, REPOSITORY, tmp_path, Path('data'))
    lists = sweep.lists('cifar10')
    lists.mkdir(parents=True)
    for path in (lists / 'train.txt', lists / 'query.txt'):
        path.write_text('a/b.png\n' * lines)
    return sweep.runs([setting], [3])[-1]


def test_the_budget_and_the_seed_reach_the_config(tmp_path: Path) -> None:
    suite = cut('evidence_cpu', 9, 1000)
    config = run_config(run_of(tmp_path, 'evidence_cpu', suite, 'mochi-256-64-128'))
    assert config.train_cfg.max_epochs == 9 and config.randomness.seed == 3
    assert config.model.head.start_epoch == 3  # 2 of 6 in the config
    warm_up, cosine = config.param_scheduler
    assert warm_up.end == 70  # a fifth of 9 x 10000 / 256 = 351 steps; 80 in the config
    assert cosine.T_max == cosine.end == 9
    assert config.train_dataloader.dataset.include == config.bank_dataloader.dataset.include
    assert 'include' not in config.query_dataloader.dataset
    assert [hook.type for hook in config.custom_hooks] == ['KNNHook', 'AnalysisHook']
    assert [hook.interval for hook in config.custom_hooks] == [3, 3]
    assert all(loader.num_workers == 0 for _, loader in loaders_of(config))


def test_a_longer_setting_has_its_epochs_in_every_schedule(tmp_path: Path) -> None:
    suite = cut('multi_crop_cifar10', 5, 1000)
    config = run_config(run_of(tmp_path, 'multi_crop_cifar10', suite, 'simclr'))
    assert config.train_cfg.max_epochs == 11  # 5 x 2.2
    assert [part.end for part in config.param_scheduler] == [80, 11]


def test_the_cuda_suite_takes_the_configs_as_they_are(tmp_path: Path) -> None:
    run = run_of(tmp_path, 'evidence_cuda', cut('evidence_cuda', 200, None), 'mochi-1024-256-512')
    config, plain = run_config(run), load_config(REPOSITORY / run.setting.config)
    assert config.param_scheduler == plain.param_scheduler
    assert config.model.head.start_epoch == plain.model.head.start_epoch == 10
    assert config.optim_wrapper == plain.optim_wrapper
    assert config.train_dataloader.num_workers == plain.train_dataloader.num_workers
    assert [mixer.num for mixer in config.model.head.mixers] == [256, 512]


def test_the_family_keeps_the_epoch_of_the_config_and_watches_nothing(tmp_path: Path) -> None:
    suite = cut('family_cifar10', 9, 26, 13)
    config = run_config(run_of(tmp_path, 'family_cifar10', suite, 'mochi-256-128-64', 260))
    assert config.model.head.start_epoch == 2 and config.custom_hooks == []
    assert config.param_scheduler[0].end == 1  # a fifth of 9 x 260 / 256 steps
    assert config.query_dataloader.dataset.include.endswith('lists/cifar10/query.txt')


def test_a_bank_has_a_row_for_each_image(tmp_path: Path) -> None:
    suite = cut('family_cifar10', 9, 26, 13)
    config = run_config(run_of(tmp_path, 'family_cifar10', suite, 'cmc', 260))
    assert [memory.length for memory in config.model.head.memories] == [260, 260]


def test_a_suite_changes_what_every_setting_has(tmp_path: Path) -> None:
    """The setting's own options come last."""
    suite = cut('evidence_cpu', 2, 26)
    suite = dataclasses.replace(
        suite, options={'model.head.temperature': 0.3, 'model.head.num_hard': 7}, looks=1
    )
    run = run_of(tmp_path, 'evidence_cpu', suite, 'mochi-256-256-0', 260)
    config = run_config(run)
    assert (config.model.head.temperature, config.model.head.num_hard) == (0.3, 256)
    assert [hook.interval for hook in config.custom_hooks] == [2, 2]


def test_a_run_starts_from_the_encoder_of_another(tmp_path: Path) -> None:
    """Not where it goes on from a checkpoint of its own; refused where the other has not ended."""
    suite = cut('open_world_cifar10', 3, 26)
    run = run_of(tmp_path, 'open_world_cifar10', suite, 'opencon', 260)
    assert run.start is not None and run.start.name == 'cifar10 simclr seed 3'
    with pytest.raises(FileNotFoundError, match='expected cifar10 simclr seed 3 to be trained'):
        run_config(run)
    run.start.folder.mkdir(parents=True)
    run.start.weights_path.touch()
    config = run_config(run)
    assert config.load_from == str(run.start.weights_path)
    assert config.load_partial == ['backbone', 'neck']
    start = run_config(run.start)
    assert start.get('load_from') is None and start.model.head.type == 'NTXentHead'
    run.folder.mkdir(parents=True)
    (run.folder / 'last_checkpoint').touch()
    assert run_config(run).get('load_from') is None


def test_on_other_images_it_starts_from_the_exported_backbone(tmp_path: Path) -> None:
    suite = read_suite('continued_cifar10')
    run = run_of(tmp_path, 'continued_cifar10', suite, 'good', 300)
    assert run.start is not None and run.start.name == 'tiny_imagenet100 start seed 3'
    run.start.folder.mkdir(parents=True)
    run.start.weights_path.touch()
    config = run_config(run)
    assert config.start_from.weights == str(run.start.folder / 'backbone_epoch_4.safetensors')
    assert config.get('load_from') is None and config.optim_wrapper.optimizer.lr == 0.05
    kinds = [hook.type for hook in config.custom_hooks]
    assert kinds == ['AnalysisHook', 'RepresentationGuardHook']
    assert config.custom_hooks[0].measures[-1] == 'lidar'


def test_tables_and_what_hooks_load_are_cut_as_well(tmp_path: Path) -> None:
    suite = cut('pseudo_labels_cifar10', 12, 1500)
    run = run_of(tmp_path, 'pseudo_labels_cifar10', suite, 'interclr', 15000)
    config = run_config(run)
    assert config.model.head.bank.length == 15000 and config.model.head.start_epoch == 2
    hook = next(h for h in config.custom_hooks if h.type == 'PseudoLabelHook')
    assert hook.start_epoch == 2
    loader = hook.label_dataloader
    assert loader.dataset.type == config.train_dataloader.dataset.type == 'InMemory'
    assert source_of(loader).include == source_of(config.train_dataloader).include
    assert loader.num_workers == config.train_dataloader.num_workers


@pytest.mark.parametrize(
    'name',
    [
        'augmentation_cifar10',
        'unicon_supcon',
        'long_tail_alpha',
        'long_tail_cifar10',
        'esupcon_cifar10',
        'robustness_cifar10',
        'excon_cifar10',
    ],
)
def test_views_are_small_and_images_held(tmp_path: Path, name: str) -> None:
    """What is measured keeps its size."""
    suite = read_suite(name)
    for setting in (s for s in suite.settings if s.role != UNTRAINED):
        run = run_of(tmp_path / setting.name, name, suite, setting.name)
        config = run_config(run)
        views = config.train_dataloader.dataset.pipeline[0].transforms
        sizes = {tuple(np.ravel(t.size)) for made in views for t in made if 'size' in t}
        assert sizes <= {(24,), (24, 24)} and sizes
        assert {loader.dataset.type for _, loader in loaders_of(config)} == {'InMemory'}
        assert config.query_dataloader.dataset.pipeline == [dict(type='PackInputs')]
