"""Where a head may tap."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.structures.cells import Cells
from mochi_mm.structures.features import CELLS, TAPS, Features


def test_each_tap_gives_its_features() -> None:
    given = dict(zip(('backbone', 'neck', 'predictor'), torch.eye(3), strict=True))
    features = Features(**given)
    assert set(TAPS) == set(given)
    for tap in TAPS:
        assert features.at(tap) is given[tap]
    with pytest.raises(KeyError):
        features.at('logits')


def test_the_tap_of_cells() -> None:
    pooled, maps, embedded = torch.ones(2, 3), torch.ones(2, 4, 3), torch.ones(2, 4, 5)
    features = Features(pooled, pooled, pooled, Cells(maps, embedded))
    assert features.at(CELLS) is embedded and features.before(CELLS) is maps
    assert features.before('neck') is pooled
    with pytest.raises(KeyError, match='needs a neck that embeds the cells .* DenseCLNeck'):
        Features(pooled, pooled, pooled).at(CELLS)
