"""Tables that name what is missing, and sentences on what is there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.outputs import budget_words, write_pictures, write_tables
from mochi_mm.experiments.suites import read_suite
from mochi_mm.experiments.sweep import Sweep
from tests.experiments.toy import finish, toy_sweep, two_settings
from tests.toy_runner import REPOSITORY

SEEDS = [0, 1, 2]


def value(seed: int, key: str) -> float:
    return (40.0 if 'top1' in key else 0.1) + seed


def test_a_failed_run_is_named_and_no_seed_is_dropped(tmp_path: Path) -> None:
    sweep = toy_sweep(tmp_path)
    runs = sweep.runs([], SEEDS)
    for run in runs[:-2]:
        finish(run, lambda key, seed=run.seed: value(seed, key))
    text = write_tables(sweep, runs, SEEDS, {runs[-1].name: 3})
    assert '- **failed with exit code 3**: cifar10 mochi-256-128-64-oracle seed 2' in text
    assert '- **not finished**: cifar10 mocov2-oracle seed 2' in text
    assert '| MoCo-v2 with the class oracle | 2 of 3, **missing: 2** | 40.5 ± 0.7 |' in text
    assert '| MoCo-v2 | 3 of 3 | 41.0 ± 1.0 |' in text
    assert (sweep.out / 'table.md').read_text() == text
    content = json.loads((sweep.out / 'results.json').read_text())['data']['cifar10']
    # Two figures for each of five comparisons, then a sentence for each claim.
    assert len(content['runs']) == 19 and len(content['findings']) == 10 + 24
    assert content['summary']['mocov2']['knn/top1_k20'] == dict(mean=41.0, spread=1.0, n=3)
    assert content['not_finished'] == {runs[-2].name: None, runs[-1].name: 3}
    first = content['differences'][0]
    assert (first['setting'], first['against'], first['primary']) == (
        'mochi-256-128-64',
        'mocov2',
        True,
    )
    assert first['by_seed'] == {'0': 0.0, '1': 0.0, '2': 0.0}
    assert first['verdict'] == 'nothing shows' and first['key'] == 'fast_linear/top1'
    assert '**nothing shows**: linear top-1 of MoCHi (256, 128, 64) less that of MoCo-v2' in text


def test_the_colored_table_has_the_gap(tmp_path: Path) -> None:
    suite = read_suite('family_coloured')
    sweep = Sweep('family_coloured', suite, REPOSITORY, tmp_path, tmp_path)
    runs = sweep.runs(['supcon'], [0])
    values = dict(zip(('biased', 'unbiased'), (90.0, 60.0), strict=True))
    before = dict(biased=80.0, unbiased=10.0)
    measured = {f'knn/top1_k20 {name}': number for name, number in values.items()}
    measured |= {f'knn/top1_k20 {name} (untrained)': n for name, n in before.items()}
    finish(runs[0], lambda key: 0.0, values={**measured, 'training/cpu_seconds': 7.2})
    text = write_tables(sweep, runs, [0], {})
    row = '| supcon | 1 of 1 | 80.0 | 90.0 | +10.0 | 10.0 | 60.0 | +50.0 | +30.0 | 7 |'
    assert row in text and '## generated' in text
    assert write_pictures(sweep, runs) == []


def test_a_suite_adds_its_own_sentences(tmp_path: Path) -> None:
    def more(folder: Path, values: dict[str, Values]) -> list[str]:
        (folder / 'law.png').touch()
        return [f'{len(values["generated"]["a"])} seeds of A']

    suite = two_settings(more=more)
    sweep = Sweep('two', suite, tmp_path, tmp_path / 'out', tmp_path)
    sweep.prepare()
    runs = sweep.runs([], [0, 1])
    for run in runs:
        finish(run, lambda key: 1.0)
    assert '- 2 seeds of A' in write_tables(sweep, runs, [0, 1], {})
    assert (sweep.out / 'law.png').exists()


def test_budget_words() -> None:
    suite = dataclasses.replace(read_suite('family_cifar10'), epochs=3)
    assert budget_words(suite, [0]) == '3 epochs over 800 images of each class, seed 0'
    assert budget_words(read_suite('evidence_cuda'), SEEDS) == (
        '200 epochs over all images, seeds 0, 1, 2'
    )
