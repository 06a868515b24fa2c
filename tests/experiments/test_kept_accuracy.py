"""Which objective loses less: the sentence for each verdict, computed from the figures."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.experiments.figures import Figure, Values
from mochi_mm.experiments.kept_accuracy import kept_accuracy

FIGURE = Figure('knn', 'kNN (%)', 'kNN top-1')


def values_of(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> Values:
    """Before and after, seed by seed, of either objective."""
    found: dict[str, Any] = {}
    for name, pairs in (('a', ours), ('b', theirs)):
        for level, number in (('usual', 0), ('hard', 1)):
            seeds = enumerate(pairs)
            found[f'{name}-{level}'] = {seed: dict(knn=pair[number]) for seed, pair in seeds}
    return found


def sentence(values: Values) -> str:
    names = (('a', 'A'), ('b', 'B'), ('usual', 'usual views'), [('hard', 'hard views')])
    (line,) = kept_accuracy(values, *names, FIGURE)  # type: ignore[arg-type]
    return line


@pytest.mark.parametrize(
    ('theirs', 'words', 'zero'),
    [
        ([(50, 44), (51, 45.5), (50, 44.5)], 'A keeps more', 'without'),
        ([(50, 52), (51, 53.5), (50, 52.5)], 'A keeps less', 'without'),
        ([(50, 49), (51, 45), (50, 51)], 'nothing shows', 'with'),
    ],
)
def test_the_verdict_is_that_of_the_interval(
    theirs: list[tuple[float, float]], words: str, zero: str
) -> None:
    line = sentence(values_of([(50, 49), (51, 50.2), (50, 48.9)], theirs))
    assert line.startswith(f'**{words}**: from usual views to hard views the kNN top-1 of A ')
    assert line.endswith(f', {zero} zero, over 3 seeds.')


def test_figures_of_the_sentence() -> None:
    line = sentence(values_of([(50, 49), (50, 49), (50, 48)], [(50, 44), (50, 45), (50, 43)]))
    # Differences 5, 4 and 5: mean 4.667, deviation 0.577, t 4.303.
    assert 'of A changes by -1.3 points, that of B by -6.0; difference +4.7' in line
    assert '95 % interval +3.2 to +6.1' in line


def test_one_seed_decides_nothing_and_none_is_said() -> None:
    assert sentence(values_of([(50, 49)], [(50, 44)])).endswith('one seed, which decides nothing.')
    assert sentence(values_of([(50, 49)], [])).startswith('**not measured**: no seed of A and B')
    # Seeds that only one of them has are left out.
    assert 'one seed' in sentence(values_of([(50, 49), (50, 40)], [(50, 44)]))
