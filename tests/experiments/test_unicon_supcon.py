"""The sweep of UniCon and SupCon: what differs, and that it says plainly where nothing shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.outputs import write_tables
from mochi_mm.experiments.run_config import run_config
from mochi_mm.experiments.suites import read_suite
from mochi_mm.experiments.suites.unicon_supcon import gains
from mochi_mm.experiments.sweep import Sweep
from tests.experiments.toy import finish, write_images
from tests.toy_runner import REPOSITORY

SUITE = read_suite('unicon_supcon')


def sweep_in(folder: Path) -> Sweep:
    suite = dataclasses.replace(SUITE, images=Images(per_class=26))
    sweep = Sweep(
        'unicon_supcon', suite, REPOSITORY, folder / 'out', write_images(folder / 'images')
    )
    sweep.prepare()
    return sweep


def test_at_a_batch_nothing_but_head_and_editors_differs(tmp_path: Path) -> None:
    assert [s.name for s in SUITE.settings] == [
        'supcon-b64',
        'unicon-b64',
        'supcon-b256',
        'unicon-b256',
    ]
    sweep = sweep_in(tmp_path)
    for batch, rate in ((64, 0.075), (256, 0.3)):
        names = [f'supcon-b{batch}', f'unicon-b{batch}']
        configs = [run_config(run).to_dict() for run in sweep.runs(names, [0])]
        for config in configs:
            assert config['train_dataloader']['batch_size'] == batch
            assert config['optim_wrapper']['optimizer']['lr'] == pytest.approx(rate)
            assert config['model'].pop('head')['temperature'] == 0.5
            config['model'].pop('view_editors', None)
            for name in ('work_dir', 'experiment_name'):
                config.pop(name)
        assert configs[0] == configs[1]


def invented(gain64: float, gain256: float, noise: float = 0.1) -> Values:
    """Three seeds, with gains of UniCon that differ a little from seed to seed."""
    values: Values = {}
    for batch, gain in ((64, gain64), (256, gain256)):
        for seed in range(3):
            base = 50.0 + seed
            of = {
                'supcon': base,
                'unicon': base + gain + noise * (seed - 1) * (1 if batch == 64 else -1),
            }
            for method, value in of.items():
                found = {'knn/top1_k20': value, 'fast_linear/top1': value}
                values.setdefault(f'{method}-b{batch}', {})[seed] = found
    return values


@pytest.mark.parametrize(
    ('values', 'start', 'end'),
    [
        (invented(3.0, 1.0), '**higher**: kNN top-1', 'without zero, over 3 seeds.'),
        (invented(0.0, 2.0), '**lower**: kNN top-1', 'without zero, over 3 seeds.'),
        (invented(1.0, 0.9), '**nothing shows**: kNN top-1', 'with zero, over 3 seeds.'),
        ({}, '**not measured**: kNN top-1', 'is finished.'),
    ],
)
def test_the_difference_of_the_gains_is_computed(values: Values, start: str, end: str) -> None:
    first, second = gains(Path(), dict(cifar10=values))
    assert first.startswith(start) and first.endswith(end)
    assert 'the gain of UniCon over SupCon at batch 64' in first and 'linear top-1' in second


def test_the_difference_is_that_of_the_seeds_that_both_have() -> None:
    values = invented(3.0, 1.0, noise=0.0)
    del values['unicon-b256'][2]
    first, _ = gains(Path(), dict(cifar10=values))
    assert 'is +2.0 points' in first and 'over 2 seeds' in first


def test_the_table_says_where_nothing_shows(tmp_path: Path) -> None:
    sweep = sweep_in(tmp_path)
    runs = sweep.runs([], [0, 1, 2])
    for run in runs:
        finish(run, lambda key, run=run: 50.0 + (run.seed if 'unicon' in run.setting.name else 1.0))
    text = write_tables(sweep, runs, [0, 1, 2], {})
    assert text.count('**nothing shows**') == 6 and '**higher**' not in text
    assert 'kNN top-1 of UniCon at batch 64 less that of SupCon at batch 64 is +0.0 points' in text
