"""Options of a measurement of robustness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mochi_mm.evaluation.robustness.corruptions import CORRUPTIONS
from mochi_mm.models.attacks import PGD
from mochi_mm.utils.checks import check_integer


@dataclass(frozen=True)
class RobustnessSettings:
    """The options of a measurement of robustness.

    Attributes:
        epsilons: Radii of the attacks, as shares of the range of a pixel.
        steps: Number of steps of an attack.
        norm: ``linf`` or ``l2``.
        large: Radius at which no classifier can be right, for the check of masked gradients; None
            leaves the check out.
        corruptions: Names out of ``CORRUPTIONS``, each measured at five strengths.
        seed: Random seed of the starts of the attacks and of the noise.

    Raises:
        ValueError: A radius in gray levels, an unknown norm or corruption, no step.
    """

    epsilons: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
    steps: int = 20
    norm: str = 'linf'
    large: float | None = 128 / 255
    corruptions: Sequence[str] = CORRUPTIONS
    seed: int = 0

    def __post_init__(self) -> None:
        for epsilon in self.epsilons:
            self.attack(epsilon)
        if self.large is not None:
            self.attack(self.large)
            if not self.epsilons or self.large <= max(self.epsilons):
                raise ValueError(
                    f'large is {self.large:g} and epsilons are {list(self.epsilons)}; expected a '
                    'radius above all others, at which nothing can be right, such as 128 / 255, '
                    'and at least one other.'
                )
        if isinstance(self.corruptions, str):
            raise ValueError(
                f'corruptions is {self.corruptions!r}; expected a list, [{self.corruptions!r}].'
            )
        if wrong := [name for name in self.corruptions if name not in CORRUPTIONS]:
            raise ValueError(
                f'corruptions are {list(self.corruptions)}; expected some of '
                f'{", ".join(CORRUPTIONS)}, not {wrong[0]!r}.'
            )
        check_integer('seed', self.seed, 0, least=0)

    def attack(self, epsilon: float) -> PGD:
        """Return the attack of a radius."""
        return PGD(epsilon, steps=self.steps, norm=self.norm)

    def name(self, epsilon: float) -> str:
        """Return what a radius is called in figures: in gray levels of 255."""
        return f'{self.norm}_{255 * epsilon:g}'
