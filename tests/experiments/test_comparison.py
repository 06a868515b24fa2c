"""Differences seed by seed: a gain is called one where the interval leaves zero out."""

from __future__ import annotations

import statistics

import pytest

from mochi_mm.experiments.comparison import Comparison, comparison_table, comparisons
from mochi_mm.experiments.figures import Figure, Values
from tests.experiments.toy import two_settings

KNN = Figure('knn', 'kNN (%)', 'kNN')
LOSS = Figure('loss', 'loss', 'loss', digits=2, unit='nats')
SETTINGS = two_settings().settings


def made_up(*differences: float) -> Values:
    return {
        'a': {seed: dict(knn=50.0 + seed) for seed in range(len(differences))},
        'b': {seed: dict(knn=50.0 + seed + d) for seed, d in enumerate(differences)},
    }


def of(*differences: float) -> Comparison:
    return comparisons([KNN], SETTINGS, made_up(*differences))[0]


@pytest.mark.parametrize(
    ('differences', 'verdict'),
    [
        # The interval of three is 4.303 sd / sqrt(3) = 2.484 sd on either side.
        ((1 - 0.40, 1.0, 1 + 0.40), 'higher'),
        ((1 - 0.41, 1.0, 1 + 0.41), 'nothing shows'),
        ((-0.6, -1.0, -1.4), 'lower'),
        ((0.0, 0.0, 0.0), 'nothing shows'),
        ((9.0,), 'nothing shows'),
        ((), 'not measured'),
    ],
)
def test_verdicts(differences: tuple[float, ...], verdict: str) -> None:
    assert of(*differences).verdict == verdict


def test_interval_of_eight() -> None:
    """Student's t of 7 degrees of freedom is 2.364624."""
    differences = (0.3, -0.1, 0.4, 0.2, 0.5, 0.0, 0.1, 0.2)
    found = of(*differences)
    expected = 2.364624 * statistics.stdev(differences) / 8**0.5
    assert found.half == pytest.approx(expected, rel=1e-6)
    assert found.mean == pytest.approx(statistics.fmean(differences))


def test_only_seeds_that_both_have() -> None:
    values = made_up(1.0, 2.0, 3.0)
    del values['a'][1], values['b'][2]
    (found,) = comparisons([KNN], SETTINGS, values)
    assert found.differences == {0: 1.0}
    assert comparisons([KNN], SETTINGS[1:], values) == []


def test_sentences_and_table() -> None:
    found = comparisons([KNN, LOSS], SETTINGS, made_up(0.8, 1.0, 1.2))
    assert [c.primary for c in found] == [True, False]
    assert found[0].sentence() == (
        '**higher**: kNN of B less that of A is +1.0 points, 95 % interval +0.5 to +1.5, without '
        'zero, over 3 seeds.'
    )
    assert found[1].sentence() == (
        '**not measured**: loss of B: no seed of both it and A is finished.'
    )
    lines = comparison_table(found).splitlines()
    assert lines[0].startswith('| setting | against | figure | difference by seed |')
    assert lines[2] == (
        '| B | A | kNN (%) (primary) | 0: +0.8, 1: +1.0, 2: +1.2 | +1.0 | +0.5 to +1.5 | higher |'
    )
    assert lines[3] == '| B | A | loss | - | - | none | not measured |'
    nothing = of(0.5, -0.4, -0.5).sentence()
    assert nothing.startswith('**nothing shows**: kNN of B less that of A is -0.1 points, 95 %')
    assert 'with zero' in nothing
    assert of(2.0).sentence().endswith('is +2.0 points with one seed, which decides nothing.')
