"""One run: its budget, its figures, and that an interrupted one ends as if it were not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.engine.hooks import AnalysisHook
from mochi_mm.experiments import run_one as module
from mochi_mm.experiments.outputs import write_pictures
from mochi_mm.experiments.sweep import Run, Sweep
from tests.experiments.toy import toy_sweep
from tests.toy_runner import REPOSITORY


def run_of(sweep: Sweep, setting: str, seed: int = 0) -> Run:
    (run,) = sweep.runs([setting], [seed])
    return run


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller batch, network and memory, so that a run takes seconds."""
    original = module.run_config

    def cut(root: Path, run: Run) -> Any:
        config = original(root, run)
        config.train_dataloader.batch_size = 52
        config.model.backbone.width = 0.125
        config.model.neck.in_channels = 64
        config.model.head.memory.length = 208
        if 'num_hard' in config.model.head:
            config.model.head.num_hard = 16
        return config

    monkeypatch.setattr(module, 'run_config', cut)


def test_the_budget_and_the_seed_reach_the_config(tmp_path: Path) -> None:
    sweep = Sweep('cpu', tmp_path, Path('data'), 9, 1000)
    path = sweep.subset_list('cifar10')
    assert path is not None
    path.parent.mkdir()
    path.write_text('a/b.png\n' * 10000)
    config = module.run_config(REPOSITORY, run_of(sweep, 'mochi-256-64-128', 3))
    assert config.train_cfg.max_epochs == 9 and config.randomness.seed == 3
    assert config.model.head.start_epoch == 3  # 2 of 6 in the config
    warm_up, cosine = config.param_scheduler
    assert warm_up.end == 70  # a fifth of 9 x 10000 / 256 = 351 steps; 80 in the config
    assert cosine.T_max == cosine.end == 9
    assert config.train_dataloader.dataset.include == config.bank_dataloader.dataset.include
    assert 'include' not in config.query_dataloader.dataset
    assert [hook.interval for hook in config.custom_hooks] == [3, 3]


def test_the_cuda_suite_takes_the_configs_as_they_are(tmp_path: Path) -> None:
    sweep = Sweep('cuda', tmp_path, Path('data'), 200, None)
    (run,) = (r for r in sweep.runs(['mochi-1024-256-512'], [0]) if r.data == 'tiny_imagenet100')
    config = module.run_config(REPOSITORY, run)
    plain = module.load_config(REPOSITORY / run.setting.config)
    assert config.param_scheduler == plain.param_scheduler
    assert config.model.head.start_epoch == plain.model.head.start_epoch == 10
    assert config.optim_wrapper == plain.optim_wrapper
    assert config.train_dataloader.num_workers == plain.train_dataloader.num_workers
    assert [mixer.num for mixer in config.model.head.mixers] == [256, 512]


@pytest.mark.slow
def test_an_interrupted_run_ends_as_one_that_was_not(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_sweep = toy_sweep(tmp_path)
    whole = module.run_one(REPOSITORY, run_of(whole_sweep, 'mochi-256-128-64'))
    (tmp_path / 'again').mkdir()
    (tmp_path / 'again/images').symlink_to(tmp_path / 'images')
    sweep = toy_sweep(tmp_path / 'again')
    run = run_of(sweep, 'mochi-256-128-64')

    def fail(hook: Any, runner: Any, epoch: int) -> None:
        if epoch == 2:
            raise RuntimeError('the power is out')
        original(hook, runner, epoch)

    original = AnalysisHook._measure
    with monkeypatch.context() as patch:
        patch.setattr(AnalysisHook, '_measure', fail)
        with pytest.raises(RuntimeError, match='power'):
            module.run_one(REPOSITORY, run)
    assert run.done() == 1 and run.result() is None
    resumed = module.run_one(REPOSITORY, run)
    assert resumed['resumed'] and not whole['resumed']
    assert resumed['values'] == whole['values'] and run.result() == resumed
    values = resumed['values']
    assert values['acc_contrast_synthetic'] <= values['acc_contrast'] <= 1
    # A class is a grey: whatever the network, its neighbours are of its class.
    assert values['knn/top1_k20'] > 50 and values['fast_linear/top1'] > 50

    written = write_pictures(whole_sweep, list(whole_sweep.runs([], [0])))
    assert [path.name for path in written] == ['curves_cifar10.png', 'report_cifar10_seed_0.html']
    assert written[0].read_bytes().startswith(b'\x89PNG') and written[1].stat().st_size > 50_000


def test_the_commit_is_that_of_the_start(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree moves on while a run is measured."""
    head = ['a' * 12]
    for name in ('mochi_mm.experiments.result_record.commit', f'{module.__name__}.commit'):
        monkeypatch.setattr(name, lambda: head[0])
    measure = module.accuracies

    def moved(model: Any, config: Any) -> dict[str, float]:
        head[0] = 'b' * 12
        return measure(model, config)

    monkeypatch.setattr(module, 'accuracies', moved)
    result = module.run_one(REPOSITORY, run_of(toy_sweep(tmp_path), 'untrained'))
    assert (result['commit'], result['commits']) == ('a' * 12, ['a' * 12])


def test_every_start_keeps_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(toy_sweep(tmp_path), 'mocov2')
    monkeypatch.setattr(module, 'commit', lambda: 'a')
    assert module.note_commit(run, resumed=True) == ['unknown', 'a']  # an earlier version began it
    assert module.note_commit(run, resumed=False) == ['a']
    monkeypatch.setattr(module, 'commit', lambda: 'b')
    assert module.note_commit(run, resumed=True) == ['a', 'b']


def test_the_untrained_network_is_measured_without_a_memory(tmp_path: Path, small: None) -> None:
    sweep = toy_sweep(tmp_path)
    result = module.run_one(REPOSITORY, run_of(sweep, 'untrained', 5))
    assert {'uniformity/backbone', 'alignment/class/neck', 'knn/top1_k20'} <= set(result['values'])
    assert not any('acc_contrast' in key for key in result['values'])
    other = module.run_one(REPOSITORY, run_of(sweep, 'untrained', 6))
    assert other['values']['uniformity/backbone'] != result['values']['uniformity/backbone']
