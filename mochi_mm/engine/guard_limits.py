"""When a representation counts as worse than it was: measures and the losses that are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mochi_mm.argument_kinds import is_number

#: Loss that is allowed of each measure: kNN accuracy in points, rank as a share of what it was,
#: uniformity in nats, stability as a share of the neighbors.
DEFAULTS: Mapping[str, float] = dict(knn=3.0, rank=0.5, uniformity=0.5, stability=0.9)
#: Measures that need no labels.
LABEL_FREE = ('rank', 'uniformity', 'stability')
_SHARES = ('rank', 'stability')
_WORDS = dict(
    knn='kNN top-1 {now:.2f} % (before {before:.2f} %, allowed loss {limit:g} points)',
    rank='effective rank {now:.2f} (before {before:.2f}, allowed loss {limit:.0%} of it)',
    uniformity='uniformity {now:.3f} (before {before:.3f}, allowed rise {limit:g} nats)',
    stability='{now:.1%} of the neighbors stayed (allowed loss {limit:.0%})',
)


@dataclass(frozen=True)
class GuardLimits:
    """The losses that are allowed, by measure.

    Attributes:
        allowed: Measures that are judged, with the loss that is allowed of each.
    """

    allowed: Mapping[str, float]

    @classmethod
    def of(cls, given: Mapping[str, float] | None, labeled: bool) -> GuardLimits:
        """Return the limits that a config gives, or the defaults.

        Args:
            given: Allowed losses; then these measures are judged and no others. None takes kNN
                where there are labels, and else the measures that need none.
            labeled: Whether there are labels, so that kNN can be measured.

        Raises:
            ValueError: An unknown measure, kNN without labels, an amount that is no loss.
        """
        if given is None:
            names = ('knn',) if labeled else LABEL_FREE
            return cls({name: DEFAULTS[name] for name in names})
        possible = tuple(DEFAULTS) if labeled else LABEL_FREE
        wrong = [name for name in given if name not in possible]
        if wrong or not given:
            why = ' (knn needs a bank_dataloader with labels)' if 'knn' in wrong else ''
            raise ValueError(
                f'limits names {", ".join(map(repr, wrong)) or "nothing"}; expected some of '
                f'{", ".join(possible)}{why}, such as limits=dict(rank=0.3).'
            )
        for name, limit in given.items():
            number = is_number(limit)
            top = 1 if name in _SHARES else float('inf')
            if not number or not 0 < limit < top:
                bound = ' and below 1, a share' if name in _SHARES else ''
                raise ValueError(
                    f'limits.{name} is {limit!r}; expected a number above 0{bound}: how much worse '
                    f'it may get, such as {DEFAULTS[name]}.'
                )
        return cls({name: float(limit) for name, limit in given.items()})

    def broken(self, now: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
        """Return, in words, each measure that has lost more than is allowed.

        Args:
            now: Measures of the present weights.
            before: What they are compared with.
        """
        return [
            _WORDS[name].format(now=now[name], before=before[name], limit=limit)
            for name, limit in self.allowed.items()
            if loss(name, now[name], before[name]) > limit
        ]


def loss(name: str, now: float, before: float) -> float:
    """Return how much worse a measure is than before, in the unit of its limit."""
    if name == 'uniformity':  # lower is more even
        return now - before
    return 1 - now / before if name == 'rank' else before - now


def better(name: str, one: float, other: float) -> float:
    """Return the better of two values of a measure."""
    return min(one, other) if name == 'uniformity' else max(one, other)
