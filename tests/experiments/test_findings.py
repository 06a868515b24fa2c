"""Verdicts on differences that were made up, and the sentences with their numbers."""

from __future__ import annotations

import pytest

from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.findings import findings, paired, verdict
from mochi_mm.experiments.suites import SUITES

SETTINGS = SUITES['cpu'].data['cifar10']


@pytest.mark.parametrize(
    ('differences', 'sign', 'expected'),
    [
        # The interval of three is 4.303 sd / sqrt(3) = 2.484 sd on either side.
        ([0.8, 1.0, 1.2], 1, 'agrees'),
        ([0.8, 1.0, 1.2], -1, 'does not agree'),
        ([-0.8, -1.0, -1.2], -1, 'agrees'),
        ([1 - 0.41, 1.0, 1 + 0.41], 1, 'undecided, the sign agrees'),
        ([1 - 0.40, 1.0, 1 + 0.40], 1, 'agrees'),
        ([0.5, -0.4, -0.5], 1, 'undecided, the sign does not agree'),
        ([0.0, 0.0, 0.0], 1, 'undecided, no difference'),
        ([5.0], 1, 'undecided, the sign agrees'),
        ([], 1, 'not measured'),
    ],
)
def test_verdicts(differences: list[float], sign: int, expected: str) -> None:
    assert verdict(differences, sign).startswith(expected)


def made_up() -> Values:
    """MoCHi is more even by 0.2, the oracle 3 points better, linear accuracy is not."""
    values: Values = {}
    for seed in (0, 1, 2):
        for setting in SETTINGS:
            mixes, oracle = setting.triple is not None, setting.role == 'oracle'
            found = {
                'uniformity/backbone': -2.0 - 0.2 * mixes + 0.01 * seed * (1 + mixes),
                'fast_linear/top1': 60.0 + seed + 3.0 * oracle + 0.1 * oracle * seed,
                'acc_contrast': 0.5 + 0.01 * seed,
            }
            if mixes:
                found['acc_contrast_synthetic'] = 0.2
            values.setdefault(setting.name, {})[seed] = found
    return values


def test_sentences_say_what_the_figures_say() -> None:
    lines = findings(SETTINGS, made_up())
    even = [line for line in lines if 'spreads features more evenly' in line]
    assert len(even) == 3 and all(line.startswith('**agrees**') for line in even)
    assert even[0] == (
        '**agrees**: mixing spreads features more evenly (read in a text about the paper). MoCHi '
        '(256, 128, 64): uniformity -2.180, MoCo-v2 -1.990; difference -0.190, spread 0.010, 95 % '
        'interval -0.215 to -0.165, lower in 3 of 3 seeds.'
    )
    oracle = [line for line in lines if 'oracle gains in linear' in line]
    assert len(oracle) == 2 and all('difference +3.1 points' in line for line in oracle)
    assert 'MoCHi (256, 128, 64) with the class oracle: linear top-1 64.1, MoCHi (256,' in oracle[1]
    linear = [line for line in lines if 'mixing gains in linear accuracy' in line]
    assert all(line.startswith('**undecided, no difference**') for line in linear)
    synthetic = [line for line in lines if 'contrastive task' in line]
    assert len(synthetic) == 3 and all('20.0, without them 51.0' in line for line in synthetic)


def test_what_is_not_there_is_said() -> None:
    values = made_up()
    del values['mocov2']
    lines = findings(SETTINGS, values)
    missing = [line for line in lines if line.startswith('**not measured**')]
    assert any('no seed of both MoCHi (256, 128, 64) and MoCo-v2' in line for line in missing)
    one = findings(SETTINGS, {name: {0: found[0]} for name, found in made_up().items()})
    assert any(line.endswith('one seed, so no spread.') for line in one)


def test_pairs_are_of_one_seed() -> None:
    values = {'a': {0: {'x': 1.0}, 1: {'x': 2.0}, 2: {}}, 'b': {1: {'x': 5.0}, 2: {'x': 6.0}}}
    assert paired(values, 'a', 'b', 'x', 'x') == {1: (2.0, 5.0)}
