"""Records that hide nothing: every seed is in them, and where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.experiments.records import write_records
from mochi_mm.experiments.results_page import read_records
from mochi_mm.experiments.sweep import Run, Sweep
from mochi_mm.files.text_file import read_json
from tests.experiments.toy import finish, toy_sweep

SEEDS = [0, 1, 2]
COMMAND = 'python tools/benchmarks/sweep.py evidence_cpu --seeds 0 1 2'


def finished(tmp_path: Path) -> tuple[Sweep, list[Run]]:
    sweep = toy_sweep(tmp_path)
    runs = sweep.runs([], SEEDS)
    for run in runs:
        finish(run, lambda key, seed=run.seed: (40.0 if 'top1' in key else 0.1) + seed)
    return sweep, runs


def test_records(tmp_path: Path) -> None:
    sweep, runs = finished(tmp_path)
    folder = tmp_path / 'records'
    assert len(write_records(folder, sweep, runs, SEEDS, COMMAND)) == 21
    records = {r['pretraining'] + r['protocol']: r for r in read_records(folder)}
    budget = '2 epochs over 26 images of each class, seeds 0, 1, 2'
    knn = records[
        f'cifar10, MoCo-v2; {budget}weighted kNN, k=20, temperature 0.07, mean of 3 seeds'
    ]
    assert knn == read_json(folder / 'evidence-cpu-cifar10-mocov2-knn.json')
    assert knn['metrics'] == {'knn/top1_k20': 41.0, 'knn/top1_k20 (spread)': 1.0}
    assert {seed: values['knn/top1_k20'] for seed, values in knn['by_seed'].items()} == {
        str(seed): 40.0 + seed for seed in SEEDS
    }
    # Every figure that the run has is there, as in the files beside it.
    assert {'acc_contrast', 'fast_linear/top1', 'uniformity/neck'} <= set(knn['by_seed']['0'])
    assert knn['command'] == f'{COMMAND} --settings mocov2'
    assert knn['seconds'] == {'0': 12, '1': 12, '2': 12} and knn['load'] == 1.5
    features = records[
        f'cifar10, the untrained network; {budget}features and contrastive task, mean of 3 seeds'
    ]
    assert set(features['metrics']) == {
        name + end
        for name in ('alignment/class/backbone', 'uniformity/backbone', 'uniformity/neck')
        for end in ('', ' (spread)')
    }
    accuracy = read_json(folder / 'evidence-cpu-cifar10-mocov2-features.json')
    assert accuracy['metrics']['acc_contrast'] == 110.0  # a share, in percent as in the table
    assert accuracy['by_seed']['0']['acc_contrast'] == 10.0
    assert knn['commit'] == '0123456789ab' and knn['date'] == '2026-01-02'


def test_a_setting_that_lacks_a_seed_has_none(tmp_path: Path) -> None:
    """The others have: they are kept as they come."""
    sweep, runs = finished(tmp_path)
    runs[1].result_path.unlink()
    write_records(tmp_path / 'records', sweep, runs, SEEDS, COMMAND)
    names = {path.name for path in (tmp_path / 'records').iterdir()}
    assert len(names) == 18 and 'evidence-cpu-cifar10-mocov2-knn.json' not in names


def test_runs_that_are_compared_are_of_one_commit(tmp_path: Path) -> None:
    sweep, runs = finished(tmp_path)
    for run in runs:
        if run.setting.name == 'mocov2':
            finish(run, lambda key: 1.0, commits=['b' * 12])
    with pytest.raises(ValueError, match=r'mochi-256-128-64 and of what .* 2 commits or machines'):
        write_records(tmp_path / 'records', sweep, runs, SEEDS, COMMAND)
    alone = [run for run in runs if run.setting.role in ('untrained', 'baseline')]
    assert len(write_records(tmp_path / 'records', sweep, alone, SEEDS, COMMAND)) == 6


def test_runs_of_a_setting_are_of_one_commit(tmp_path: Path) -> None:
    sweep, runs = finished(tmp_path)
    for run in runs:
        finish(run, lambda key: 1.0, commits=['a' * 12, 'b' * 12])
    with pytest.raises(ValueError, match='untrained and .* 2 commits or machines'):
        write_records(tmp_path / 'records', sweep, runs, SEEDS, COMMAND)
    with pytest.raises(ValueError, match='expected at least 3'):
        write_records(tmp_path / 'records', sweep, runs, [1, 2], COMMAND)
    assert not (tmp_path / 'records').exists()
