"""A regime puts a config into the state that it names."""

from __future__ import annotations

import pytest

from mochi_mm.experiments.evidence_plan import CONFIG
from mochi_mm.experiments.regime import Regime
from mochi_mm.launch.config import load_config
from tests.toy_runner import REPOSITORY


@pytest.mark.parametrize('output_norm', [False, True])
def test_options_reach_views_queue_and_neck(output_norm: bool) -> None:
    regime = Regime(0.3, 0.2, 0.15, 512, output_norm)
    config = load_config(REPOSITORY / CONFIG, regime.options())
    crop, jitter, gray, flip = config.train_dataloader.dataset.pipeline[0].transforms[0]
    assert [part.type for part in (crop, jitter, gray, flip)] == [
        'RandomResizedCrop',
        'ColorJitter',
        'RandomGrayscale',
        'RandomFlip',
    ]
    assert tuple(crop.scale) == (0.3, 1.0) and gray.prob == 0.15
    assert (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue) == (
        *[0.2] * 3,
        0.05,
    )
    assert config.model.head.memory.length == 512
    neck = config.model.neck
    assert neck.norm == ('all' if output_norm else 'hidden')
    assert neck.get('last_affine', True) is not output_norm
    assert ('batch norm' in regime.words()) is output_norm
