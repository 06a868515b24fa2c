"""The rules of the plan, on made-up figures: what passes, what wins, and what is not there yet."""

from __future__ import annotations

import math

import pytest

from mochi_mm.experiments.choices import Gate, choose_mixing, choose_regime, gate_of, mean_of
from mochi_mm.experiments.figures import Figure, Values

LINEAR, OWN = Figure('linear', '', 'linear top-1'), Figure('own', '', factor=100.0)


def made(**settings: tuple[float, float]) -> Values:
    """Values of two seeds around an accuracy and a contrastive accuracy."""
    return {
        name: {
            seed: dict(linear=linear + step, own=own + step / 100)
            for seed, step in ((7, -1), (8, 1))
        }
        for name, (linear, own) in settings.items()
    }


def regime(values: Values, *names: str) -> tuple[str, str]:
    return choose_regime(values, 'old', names, Gate(LINEAR, OWN, 50.0, (7, 8)))


def test_means_are_in_the_units_of_the_figure() -> None:
    assert mean_of(made(a=(20.0, 0.5)), 'a', OWN) == pytest.approx(50)
    assert math.isnan(mean_of({}, 'a', OWN))


def test_the_best_of_those_that_pass_is_chosen() -> None:
    values = made(
        old=(20.0, 0.2), hard=(25.0, 0.49), mild=(19.9, 0.9), a=(21.0, 0.5), b=(22.0, 0.6)
    )
    chosen, text = regime(values, 'hard', 'mild', 'a', 'b')
    assert chosen == 'b'
    assert text.startswith('**b is chosen**') and 'a 21.00, b 22.00' in text
    assert 'hard 49.00, mild 90.00' in text


def test_the_gate_itself_passes_and_alone() -> None:
    chosen, text = regime(made(old=(20.0, 0.2), a=(20.0, 0.5)), 'a')
    assert chosen == 'a' and 'it alone passes' in text


def test_where_none_passes_none_is_chosen() -> None:
    chosen, text = regime(made(old=(20.0, 0.2), a=(30.0, 0.4), b=(19.0, 0.8)), 'a', 'b')
    assert chosen == '' and '**no regime is chosen**' in text and 'a 40.00, b 80.00' in text


def test_nothing_is_chosen_before_all_have_run() -> None:
    chosen, text = regime(made(old=(20.0, 0.2), a=(30.0, 0.6)), 'a', 'b', 'c')
    assert chosen == '' and 'runs of b, c are not finished' in text
    values = made(old=(20.0, 0.2), a=(30.0, 0.6))
    del values['a'][8]
    assert 'runs of a are not finished' in regime(values, 'a')[1]


@pytest.mark.parametrize(
    ('accuracies', 'chosen'),
    [
        (dict(small=20.0, skipping=20.0, large=20.2), 'large'),
        (dict(small=20.0, skipping=20.0, large=20.05), 'small'),
        (dict(small=19.0, skipping=20.0, large=20.05), 'skipping'),
        (dict(small=5.0, skipping=4.0, large=3.0), 'small'),
    ],
)
def test_a_mixing_wins_by_accuracy_then_by_being_small(
    accuracies: dict[str, float], chosen: str
) -> None:
    sizes = dict(small=(10, 0), skipping=(10, 1), large=(90, 0))
    values = made(**{name: (accuracy, 0.0) for name, accuracy in accuracies.items()})
    found, text = choose_mixing(values, sizes, LINEAR, (7, 8))
    assert found == chosen and f'{accuracies[chosen]:.2f}' in text
    assert choose_mixing(made(small=(20.0, 0.0)), sizes, LINEAR, (7, 8))[0] == ''


def test_the_later_gate_wants_every_seed_and_the_mean() -> None:
    values = made(a=(20.0, 0.5))
    assert gate_of(values, 'a', OWN, 50.0, (7, 8)).startswith('**passes the gate**')
    assert gate_of(values, 'a', OWN, 50.1, (7, 8)).startswith('**does not pass the gate**')
    for seeds in ((7, 8, 9), (1,)):
        assert gate_of(values, 'a', OWN, 50.0, seeds).startswith('**not known yet**')
