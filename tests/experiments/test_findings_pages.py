"""Pages of findings, from made-up records: a null result, a gain, what is missing."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.findings_pages import PAGES, findings_page, read_recorded
from mochi_mm.experiments.records import write_records
from mochi_mm.experiments.suites import read_suite
from mochi_mm.experiments.sweep import Sweep
from tests.experiments.toy import finish
from tests.toy_runner import REPOSITORY

Value = Callable[[str, int, str], float]


def record(root: Path, name: str, value: Value, settings: tuple[str, ...] = ()) -> None:
    """Write the records of invented runs: a value for each setting, seed and figure."""
    sweep = Sweep(name, read_suite(name), REPOSITORY, root / name, root)
    seeds = sweep.suite.seeds
    runs = sweep.runs(list(settings), seeds)
    for run in runs:
        finish(run, lambda key, run=run: value(run.setting.name, run.seed, key), cpu_seconds=7)
    write_records(root / 'results/measured', sweep, runs, seeds, 'python sweep')


EVIDENCE = 'docs/evidence.md'


def shown(root: Path, page: str = EVIDENCE) -> str:
    return findings_page(page, root, root / 'pictures')


def test_the_pages_of_this_repository_are_up_to_date() -> None:
    """Otherwise: python tools/analysis/findings_pages.py"""
    tool = runpy.run_path(str(REPOSITORY / 'tools/analysis/findings_pages.py'))
    assert tool['main'](['--check']) == 0


@pytest.mark.parametrize('page', PAGES)
def test_nothing_measured_is_said_of_every_suite(tmp_path: Path, page: str) -> None:
    assert shown(tmp_path, page).count('Not measured yet') == len(PAGES[page][1])


def test_a_null_result_is_stated_as_such(tmp_path: Path) -> None:
    def value(name: str, seed: int, key: str) -> float:
        alternating = 0.25 * (-1) ** seed if name.startswith('mochi') else 0.0
        return (24.0 if 'top1' in key or 'transfer' in key else 0.5) + alternating + seed / 8

    record(tmp_path, 'evidence_stage2', value)
    text = shown(tmp_path)
    assert (
        '**nothing shows**: linear top-1 on the test part of MoCHi (128, 256, 64) less that of '
        'MoCo-v2 is +0.00 points, 95 % interval -0.22 to +0.22, with zero, over 8 seeds.'
    ) in text
    assert '**undecided, no difference**: mixing gains in linear accuracy' in text
    assert '**higher**' not in text and '**lower**' not in text
    assert '(primary)' in text and '56 seconds of CPU time in 96, load up to 1.5' in text


def test_a_gain_is_called_one(tmp_path: Path) -> None:
    def value(name: str, seed: int, key: str) -> float:
        return 20 + seed + (1.0 + seed / 100 if name.startswith('mochi') else 0.0)

    record(tmp_path, 'evidence_stage2', value)
    text = shown(tmp_path)
    assert '**higher**: linear top-1 on the test part of MoCHi (128, 256, 64)' in text
    assert '**agrees**: mixing gains in linear accuracy' in text


def test_values_come_back_as_they_were_measured(tmp_path: Path) -> None:
    def value(name: str, seed: int, key: str) -> float:
        return 0.41 + len(name) / 1000 + seed / 10_000

    record(tmp_path, 'evidence_stage0', value)
    stage = read_recorded(tmp_path / 'results/measured', 'evidence_stage0')
    for name, seeds in stage.values(plan.DATA).items():
        assert tuple(seeds) == plan.PILOT_SEEDS
        for seed, values in seeds.items():
            for key, found in values.items():
                assert found == pytest.approx(value(name, seed, key), abs=1e-4), key
    assert 'is chosen**' in shown(tmp_path)


def test_settings_that_are_not_recorded_are_named(tmp_path: Path) -> None:
    record(tmp_path, 'evidence_stage1', lambda name, seed, key: 0.5, ('mocov2', 'mochi-128-512-0'))
    text = shown(tmp_path)
    assert '| MoCHi (256, 1024, 128) | 0 of 2, **missing: 100, 101** |' in text
    assert 'no setting is chosen yet' in text


def test_the_law_has_its_figure(tmp_path: Path) -> None:
    def value(name: str, seed: int, key: str) -> float:
        if 'false' in key:
            return 1 / int(name.split('-')[1])
        return 50 + seed + (2.0 if name.startswith('mochi') else 0.0)

    record(tmp_path, 'evidence_law', value)
    assert 'Gain of MoCHi over MoCo-v2 in linear accuracy, points: 5 classes, 20.0 % false: ' in (
        text := shown(tmp_path)
    )
    assert '100 classes, 1.0 % false: +2.00 ± 0.00, with the oracle +2.00 ± 0.00' in text
    assert (tmp_path / 'pictures/law.png').read_bytes().startswith(b'\x89PNG')


def test_a_record_without_seeds_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / 'results/measured'
    folder.mkdir(parents=True)
    name = f'evidence-plan-stage0-{plan.DATA}-{plan.REFERENCE}.json'
    (folder / name).write_text(json.dumps(dict(metrics={})))
    with pytest.raises(ValueError, match='has no figures of single seeds'):
        shown(tmp_path)


def test_every_comparison_can_be_shown(tmp_path: Path) -> None:
    """Its records hold what its table, differences and sentences need."""
    names = PAGES['docs/comparisons.md'][1]
    for name in names:
        record(tmp_path, name, lambda name, seed, key: 30.0 + len(name) + seed / 8)
    text = shown(tmp_path, 'docs/comparisons.md')
    assert text.count('Where, and what it costs to repeat') == len(names)
    assert 'Not measured yet' not in text and 'missing' not in text
    assert 'not measured |' not in text


def test_a_record_of_another_budget_is_refused(tmp_path: Path) -> None:
    record(tmp_path, 'unicon_supcon', lambda name, seed, key: 30.0 + seed)
    path = tmp_path / 'results/measured/unicon-supcon-cifar10-supcon-b64.json'
    path.write_text(path.read_text().replace('10 epochs', '9 epochs'))
    with pytest.raises(ValueError, match="is of 'cifar10, SupCon.*9 epochs.*is of '10 epochs"):
        shown(tmp_path, 'docs/comparisons.md')
