"""Evaluation mode for a while: every flag is as it was."""

from __future__ import annotations

import pytest
from torch import nn

from mochi_mm.models.evaluating import evaluating


def test_flags_are_restored_after_an_error_too() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout())
    model[1].eval()
    with pytest.raises(KeyError), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise KeyError
    assert [module.training for module in model.modules()] == [True, True, False]
