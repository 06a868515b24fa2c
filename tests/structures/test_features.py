"""Where a head may tap."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.structures.features import TAPS, Features


def test_each_tap_gives_its_features() -> None:
    given = dict(zip(('backbone', 'neck', 'predictor'), torch.eye(3), strict=True))
    features = Features(**given)
    assert set(TAPS) == set(given)
    for tap in TAPS:
        assert features.at(tap) is given[tap]
    with pytest.raises(KeyError):
        features.at('logits')
