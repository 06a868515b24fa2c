"""Results of mixing hard negatives in one step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mochi_mm.structures.hard_negatives import HardNegatives
from mochi_mm.structures.plan import Plan


@dataclass(frozen=True)
class Mixture:
    """The synthetic negatives of one mixer.

    Attributes:
        name: Type of the mixer; numbered from the second of a type on.
        plan: Draws that they were mixed by.
        cosines: (A, S) with the anchors.
    """

    name: str
    plan: Plan
    cosines: Tensor


@dataclass(frozen=True)
class Mixed:
    """The hardest negatives of every anchor, and their mixtures.

    Attributes:
        hard: The hardest candidates.
        mixtures: One for each mixer; empty where nothing was synthesized.
    """

    hard: HardNegatives
    mixtures: tuple[Mixture, ...] = ()
