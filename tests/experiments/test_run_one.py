"""One run: its budget, its figures, and that an interrupted one ends as if it were not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.engine.hooks import AnalysisHook
from mochi_mm.experiments import run_one as module
from mochi_mm.experiments.measures import KNN
from mochi_mm.experiments.outputs import write_pictures
from mochi_mm.experiments.sweep import Run, Sweep
from tests.experiments.toy import toy_sweep


def run_of(sweep: Sweep, setting: str, seed: int = 0) -> Run:
    (run,) = sweep.runs([setting], [seed])
    return run


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller batch, network and memory, so that a run takes seconds."""
    original = module.run_config

    def cut(run: Run) -> Any:
        config = original(run)
        config.train_dataloader.batch_size = 52
        config.model.backbone.width = 0.125
        config.model.neck.in_channels = 64
        config.model.head.memory.length = 208
        if 'num_hard' in config.model.head:
            config.model.head.num_hard = 16
        return config

    monkeypatch.setattr(module, 'run_config', cut)


@pytest.mark.slow
def test_an_interrupted_run_ends_as_one_that_was_not(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_sweep = toy_sweep(tmp_path)
    whole = module.run_one(run_of(whole_sweep, 'mochi-256-128-64'))
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
            module.run_one(run)
    assert run.done() == 1 and run.result() is None
    resumed = module.run_one(run)
    assert resumed['resumed'] and not whole['resumed']
    # A run that was interrupted cannot say what its training took.
    assert whole['values'].pop('training/cpu_seconds') > 0
    assert resumed['values'] == whole['values'] and run.result() == resumed
    assert len(resumed['load']) == 2 and resumed['wall_seconds'] >= 0
    values = resumed['values']
    assert values['acc_contrast_synthetic'] <= values['acc_contrast'] <= 1
    # A class is a gray: whatever the network, its neighbors are of its class.
    assert values['knn/top1_k20'] > 50 and values['fast_linear/top1'] > 50

    written = write_pictures(whole_sweep, whole_sweep.runs([], [0]))
    assert [path.name for path in written] == ['curves_cifar10.png', 'report_cifar10_seed_0.html']
    assert written[0].read_bytes().startswith(b'\x89PNG') and written[1].stat().st_size > 50_000


def test_the_commit_is_that_of_the_start(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree moves on while a run is measured."""
    head = ['a' * 12]
    for name in ('mochi_mm.experiments.result_record.commit', f'{module.__name__}.commit'):
        monkeypatch.setattr(name, lambda: head[0])
    measure = module.measured

    def moved(measures: Any, subject: Any) -> dict[str, float]:
        head[0] = 'b' * 12
        return measure(measures, subject)

    monkeypatch.setattr(module, 'measured', moved)
    result = module.run_one(run_of(toy_sweep(tmp_path), 'untrained'))
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
    result = module.run_one(run_of(sweep, 'untrained', 5))
    assert {'uniformity/backbone', 'alignment/class/neck', 'knn/top1_k20'} <= set(result['values'])
    assert not any('acc_contrast' in key for key in result['values'])
    other = module.run_one(run_of(sweep, 'untrained', 6))
    assert other['values']['uniformity/backbone'] != result['values']['uniformity/backbone']


def test_two_measures_do_not_share_a_name() -> None:
    class Same(KNN):
        def __call__(self, subject: Any) -> dict[str, float]:
            return {'x': 1.0}

    assert module.measured([Same()], None) == {'x': 1.0}  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='gives x, which another measure'):
        module.measured([Same(), Same()], None)  # type: ignore[arg-type]


def test_measures_before_the_first_step(tmp_path: Path, small: None) -> None:
    sweep = toy_sweep(tmp_path)
    suite = dataclasses.replace(sweep.suite, before=[KNN()], measures=[KNN(watch=False)])
    run = run_of(dataclasses.replace(sweep, suite=suite), 'untrained')
    values = module.run_one(run)['values']
    assert set(values) == {'knn/top1_k20', 'knn/top1_k20 (untrained)'}
    assert values['knn/top1_k20'] == values['knn/top1_k20 (untrained)']
