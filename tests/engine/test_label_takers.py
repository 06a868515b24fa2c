"""Banks of other features and labels that come too late are refused before the first step."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.engine.label_takers import check_takers
from mochi_mm.models.algorithms import MoCo
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import moco_config


def model(**head: Any) -> MoCo:
    settings = moco_config()
    settings['head'] = dict(
        type='InterClusterHead',
        memory=dict(type='FeatureQueue', length=16, dim=8),
        bank=dict(type='ClusterBank', length=16, num_clusters=4, dim=8),
        num_negatives=6,
        pool=9,
        **head,
    )
    return MODELS.build(settings)


def check(made: MoCo, tap: str = 'neck', start_epoch: int = 0, num_images: int = 16) -> None:
    check_takers(made, [made.head.bank], tap, start_epoch, num_images)


def test_what_fits_and_what_does_not() -> None:
    check(model())
    check(model(start_epoch=2), start_epoch=2)
    check(model(), tap='predictor')  # of a key that is its neck
    with pytest.raises(ValueError, match="at tap='backbone' and the bank of head is written with"):
        check(model(), tap='backbone')
    with pytest.raises(ValueError, match='the bank of head has 16 rows and the data set 15 images'):
        check(model(), num_images=15)
    with pytest.raises(ValueError, match='start_epoch of head .* is 1 and that of the .* is 2'):
        check(model(start_epoch=1), start_epoch=2)
    check_takers(model(), [], 'backbone', 5, 3)  # nobody takes them
    made = model()
    made.head.bank.num_clusters = (4, 4)
    with pytest.raises(ValueError, match=r'num_clusters of head is \[4, 4\]; expected different'):
        check(made)
