"""A fresh model is the same for the same seed, and is made without a word."""

from __future__ import annotations

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mochi_mm.launch.fresh_model import fresh_model
from tests.models.algorithms.toy import moco_config


def test_it_depends_on_the_seed_and_says_nothing(capfd: pytest.CaptureFixture) -> None:
    init_default_scope('mochi_mm')
    logger = MMLogger.get_instance('fresh', log_level='INFO')
    config = moco_config()
    first, second, other = (fresh_model(config, seed) for seed in (3, 3, 4))
    assert config == moco_config()
    assert torch.equal(first.backbone.conv1.weight, second.backbone.conv1.weight)
    assert not torch.equal(first.backbone.conv1.weight, other.backbone.conv1.weight)
    assert capfd.readouterr() == ('', '')
    logger.info('still heard')
    assert 'still heard' in ''.join(capfd.readouterr())
