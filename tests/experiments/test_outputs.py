"""Tables that name what is missing, and records that hide nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mochi_mm.experiments.outputs import write_records, write_tables
from mochi_mm.experiments.results_page import read_records
from tests.experiments.toy import finish, toy_sweep

SEEDS = [0, 1, 2]


def value(seed: int, key: str) -> float:
    return (40.0 if 'top1' in key else 0.1) + seed


def test_a_failed_run_is_named_and_no_seed_is_dropped(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    runs = list(sweep.runs([], SEEDS))
    for run in runs[:-2]:
        finish(run, lambda key, seed=run.seed: value(seed, key))
    text = write_tables(sweep, runs, SEEDS, {runs[-1].name: 3})
    assert '- **failed with exit code 3**: cifar10 mochi-256-128-64-oracle seed 2' in text
    assert '- **not finished**: cifar10 mocov2-oracle seed 2' in text
    assert '| MoCo-v2 with the class oracle | 2 of 3, **missing: 2** | 40.5 ± 0.7 |' in text
    assert '| MoCo-v2 | 3 of 3 | 41.0 ± 1.0 |' in text
    assert (sweep.out / 'table.md').read_text() == text
    content = json.loads((sweep.out / 'results.json').read_text())['data']['cifar10']
    assert len(content['runs']) == 19 and len(content['findings']) == 24
    assert content['summary']['mocov2']['knn/top1_k20'] == dict(mean=41.0, spread=1.0, n=3)
    assert content['not_finished'] == {runs[-2].name: None, runs[-1].name: 3}
    with pytest.raises(ValueError, match='not finished: cifar10 mocov2-oracle seed 2'):
        write_records(tmp_path / 'records', sweep, runs, SEEDS)


def test_records(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    runs = list(sweep.runs([], SEEDS))
    for run in runs:
        finish(run, lambda key, seed=run.seed: value(seed, key))
    assert len(write_records(tmp_path / 'records', sweep, runs, SEEDS)) == 21
    records = {r['pretraining'] + r['protocol']: r for r in read_records(tmp_path / 'records')}
    budget = '2 epochs over 26 images of each class, seeds 0, 1, 2'
    knn = records[
        f'cifar10, MoCo-v2; {budget}weighted kNN, k=20, temperature 0.07, mean of 3 seeds'
    ]
    assert knn['metrics'] == {'knn/top1_k20': 41.0, 'knn/top1_k20 (spread)': 1.0}
    features = records[
        f'cifar10, the untrained network; {budget}features and contrastive task, mean of 3 seeds'
    ]
    assert set(features['metrics']) == {
        name + end
        for name in ('alignment/class/backbone', 'uniformity/backbone', 'uniformity/neck')
        for end in ('', ' (spread)')
    }
    assert knn['commit'] == '0123456789ab' and knn['date'] == '2026-01-02'


def test_records_of_two_commits_or_two_seeds_are_refused(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    runs = list(sweep.runs([], SEEDS))
    for run in runs:
        finish(run, lambda key: 1.0, commit='b' * 12 if run.seed else 'a' * 12)
    with pytest.raises(ValueError, match='2 commits or machines'):
        write_records(tmp_path / 'records', sweep, runs, SEEDS)
    for run in runs:
        finish(run, lambda key: 1.0, commits=['a' * 12, 'b' * 12])
    with pytest.raises(ValueError, match='2 commits or machines'):
        write_records(tmp_path / 'records', sweep, runs, SEEDS)
    with pytest.raises(ValueError, match='at least three seeds'):
        write_records(tmp_path / 'records', sweep, [r for r in runs if r.seed], [1, 2])
    assert not (tmp_path / 'records').exists()
