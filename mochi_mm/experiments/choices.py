"""Choices of a stage of the evidence for the next one, by a rule written down before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mochi_mm.experiments.figures import Figure, Values, figures_of, mean_and_spread


def mean_of(values: Values, setting: str, figure: Figure) -> float:
    """Return the mean of a figure over the seeds of a setting, as it is shown; NaN without any."""
    return figure.factor * mean_and_spread(figures_of(figure, values.get(setting, {})))[0]


@dataclass(frozen=True)
class Gate:
    """What a regime must reach to be chosen; all figures are means over the seeds.

    Attributes:
        accuracy: The accuracy that must not be below the reference's, and that decides.
        own_key: The contrastive accuracy.
        least: Least contrastive accuracy, in percent.
        seeds: Seeds that each regime must have.
    """

    accuracy: Figure
    own_key: Figure
    least: float
    seeds: tuple[int, ...]

    def words(self, least: float, reference: str) -> str:
        """Return it in words, with the accuracy of the reference."""
        return (
            f'{self.own_key.words} of at least {self.least:g} % and {self.accuracy.words} of at '
            f'least {least:.2f} ({reference})'
        )


def choose_regime(
    values: Values, reference: str, names: Sequence[str], gate: Gate
) -> tuple[str, str]:
    """Return the chosen regime, empty for none, and why in a sentence.

    Of the regimes whose contrastive accuracy passes the gate and whose accuracy is not below the
    reference's, the one with the highest accuracy; means over the seeds, all of validation.

    Args:
        values: Values of the finished runs.
        reference: The regime that must not be undercut.
        names: Regimes of which one is chosen.
        gate: What one must reach.

    >>> from mochi_mm.experiments.figures import Figure
    >>> figure, own = Figure('a', ''), Figure('b', '', factor=100.0)
    >>> values = {'old': {0: dict(a=10.0, b=0.1)}, 'new': {0: dict(a=11.0, b=0.6)}}
    >>> choose_regime(values, 'old', ['new'], Gate(figure, own, 50.0, (0,)))[0]
    'new'
    """
    seeds = set(gate.seeds)
    if missing := [n for n in (reference, *names) if not seeds <= set(values.get(n, {}))]:
        return '', f'**no regime is chosen yet**: runs of {", ".join(missing)} are not finished.'
    least = mean_of(values, reference, gate.accuracy)
    own = {name: mean_of(values, name, gate.own_key) for name in names}
    fit = {name: mean_of(values, name, gate.accuracy) for name in names if own[name] >= gate.least}
    fit = {name: value for name, value in fit.items() if value >= least}
    rule, shares = gate.words(least, reference), f'{gate.own_key.words} {_listed(own)}'
    if not fit:
        return '', f'**no regime is chosen**: none has a {rule}; {shares}.'
    chosen = max(fit, key=lambda name: fit[name])
    others = f'those that pass: {_listed(fit)}' if len(fit) > 1 else 'it alone passes'
    return chosen, (
        f'**{chosen} is chosen**: {rule}, and the highest {gate.accuracy.words}, '
        f'{fit[chosen]:.2f}; {others}; {shares}.'
    )


def choose_mixing(
    values: Values,
    sizes: Mapping[str, tuple[int, int]],
    accuracy: Figure,
    seeds: Sequence[int],
    within: float = 0.1,
) -> tuple[str, str]:
    """Return the chosen setting, empty while runs are missing, and why in a sentence.

    The setting with the highest accuracy; of those within ``within`` points of it the one with
    fewer synthetic negatives, then with fewer ranks skipped. One is chosen whatever MoCo-v2 has.

    Args:
        values: Values of the finished runs.
        sizes: Number of synthetic negatives and of skipped ranks of each setting.
        accuracy: The accuracy that counts.
        seeds: Seeds that each setting must have.
        within: Points of accuracy that make no difference.

    >>> from mochi_mm.experiments.figures import Figure
    >>> values = {'big': {0: dict(a=20.05)}, 'small': {0: dict(a=20.0)}}
    >>> choose_mixing(values, dict(big=(9, 0), small=(3, 0)), Figure('a', ''), (0,))[0]
    'small'
    """
    if missing := [name for name in sizes if not set(seeds) <= set(values.get(name, {}))]:
        return '', f'**no setting is chosen yet**: runs of {", ".join(missing)} are not finished.'
    found = {name: mean_of(values, name, accuracy) for name in sizes}
    best = max(found.values())
    near = [name for name in sizes if found[name] >= best - within]
    chosen = min(near, key=lambda name: (*sizes[name], -found[name]))
    return chosen, (
        f'**{chosen} is chosen**: {accuracy.words} {found[chosen]:.2f}, the highest is {best:.2f}; '
        f'all: {_listed(found)}.'
    )


def gate_of(values: Values, name: str, own_key: Figure, least: float, seeds: Sequence[int]) -> str:
    """Return a sentence on whether a setting tells its own key often enough.

    Args:
        values: Values of the finished runs.
        name: Name of the setting.
        own_key: The contrastive accuracy.
        least: The least that will do, in percent; a mean over the seeds.
        seeds: Seeds that it must have.
    """
    if not set(seeds) <= set(values.get(name, {})):
        return f'**not known yet**: whether {name} passes the gate.'
    share = mean_of(values, name, own_key)
    start = '**passes the gate**' if share >= least else '**does not pass the gate**'
    return f'{start}: {own_key.words} of {name} {share:.1f} %, at least {least:g} % are asked for.'


def _listed(values: Mapping[str, float]) -> str:
    return ', '.join(f'{name} {value:.2f}' for name, value in values.items())
