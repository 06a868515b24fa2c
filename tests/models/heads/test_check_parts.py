"""Parts of a head that have nothing to act on."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.models.heads import (
    FalseNegativeHead,
    NTXentHead,
    SkewRenyiHead,
    SoftContrastiveHead,
    SupConHead,
)
from tests.models.heads.toy import finder, memory

ORACLE = dict(rule='oracle')


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: SkewRenyiHead(negatives={}), 'objective of SkewRenyiHead has no sum over'),
        (lambda: SoftContrastiveHead(memory(), removal=ORACLE), 'attracts by its share'),
        (lambda: FalseNegativeHead(finder(), removal=ORACLE), 'looks for false negatives itself'),
        (lambda: SupConHead(removal=ORACLE), 'class is what attracts in SupConHead'),
        (lambda: NTXentHead(removal=finder()), 'FalseNegativeFinder is no FalseNegativeRemoval'),
    ],
)
def test_they_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_others_are_accepted() -> None:
    part = dict(rule='threshold', threshold=0.9)
    for head in (SupConHead(removal=part), SkewRenyiHead(removal=ORACLE)):
        assert head.removal is not None
