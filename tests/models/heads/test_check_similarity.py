"""Parts of a head that its similarity does not allow."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import ContrastiveHead, NTXentHead
from tests.models.heads.toy import memory, mixing


class Distances(ContrastiveHead):
    """Compares by minus half the squared distance."""

    def similarity(self, rows: Tensor, candidates: Tensor) -> Tensor:
        return -torch.cdist(rows, candidates).square() / 2


class Bounded(Distances):
    """The same, and says that unit rows are at most 2 apart."""

    least_similarity = -2.0


def test_mixers_are_refused_and_mining_is_not() -> None:
    with pytest.raises(ValueError, match='mixing has mixers, .* but Distances compares by a simil'):
        Distances(memory(), mixing=mixing())
    head = Distances(memory(), mixing=dict(num_hard=3))
    assert head.mixing is not None and head.mixing.num_hard == 3
    assert not head.takes_cosines and NTXentHead().takes_cosines


def test_an_estimate_needs_the_least_similarity() -> None:
    estimate = dict(beta=1.0, tau_plus=0.1)
    with pytest.raises(ValueError, match='negatives is set but Distances .* set least_similarity'):
        Distances(memory(), negatives=estimate)
    assert Bounded(memory(), negatives=estimate).negatives is not None
