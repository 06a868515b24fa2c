"""Attacks: images changed a little so that an objective becomes large."""

from mochi_mm.models.attacks.contrastive_objective import contrastive_objective
from mochi_mm.models.attacks.pgd import PGD

__all__ = ['PGD', 'contrastive_objective']
