"""A memory where it is needed, none where it is not, and no mask of rows that are not there."""

from __future__ import annotations

import pytest

from mochi_mm.models.heads import ContrastiveHead
from mochi_mm.models.heads.check_memory import check_memory
from mochi_mm.models.memories import Prototypes
from tests.models.heads.toy import memory


def test_what_fits_passes() -> None:
    fitting = [(memory(), True, dict(mask=True)), (memory(), None, dict(mask=True))]
    fitting += [(None, False, dict(mask=False)), (None, None, {})]
    assert [check_memory('A', *case) for case in fitting] == [None] * 4


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match='memory is None but A needs a memory, such as dict'):
        check_memory('A', None, True, {})
    with pytest.raises(ValueError, match=r'memory is FeatureQueue.* but A needs none'):
        check_memory('A', memory(), False, {})
    learned = Prototypes(3, 4, ema_decay=None)
    assert check_memory('A', Prototypes(3, 4), True, {}) is None
    with pytest.raises(ValueError, match='memory of A is Prototypes.*whose rows the optimizer mo'):
        check_memory('A', learned, True, {})
    with pytest.raises(ValueError, match='memory of ContrastiveHead is Prototypes'):
        ContrastiveHead(learned)
    with pytest.raises(ValueError, match='first, third is set but there is no memory whose rows'):
        check_memory('A', None, None, dict(first=True, second=False, third=True))
