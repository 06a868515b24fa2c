"""A head of another frame is refused when the model is built, and the one that fits is named."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from mochi_mm.models import heads
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import build_moco

BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')
NECK = dict(type='MLPNeck', in_channels=64, out_channels=8)
BANK = dict(type='InstanceBank', length=10, dim=8)
QUEUE = dict(type='FeatureQueue', length=16, dim=8)
FINDER = dict(type='FalseNegativeFinder', num_support=1, support='score')
FNC_MEMORY = dict(type='FalseNegativeMemoryHead', memory=QUEUE, finder=FINDER)
CMC = dict(type='CrossViewHead', memories=[BANK, BANK], num_negatives=5)
CONTRASTIVE = dict(type='ContrastiveHead', memory=QUEUE)


def moco(**kwargs: Any) -> Any:
    return build_moco(mixing=False, batch_shuffle='none', **kwargs)


def in_batch(**kwargs: Any) -> Any:
    return MODELS.build(dict(type='InBatchContrast', backbone=BACKBONE, neck=NECK, **kwargs))


def cross_view(**kwargs: Any) -> Any:
    config: dict[str, Any] = dict(
        type='CrossViewContrast',
        backbone=dict(
            type='SplitBackbone', backbones=[dict(BACKBONE, in_channels=n) for n in (1, 2)]
        ),
        neck=dict(type='SplitNeck', necks=[NECK, NECK]),
        head=CMC,
    )
    return MODELS.build(dict(config, **kwargs))


MOMENTUM = dict(type='MomentumContrast', online_views=(0, 1), target_views=(0, 1, 2))
LINEAR = dict(type='LinearHead', num_classes=3, in_channels=64)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: moco(head=dict(type='SupConHead')), 'SupConHead does not fit MoCo.*InBatchCon'),
        (
            lambda: moco(type='MomentumContrast', head=dict(type='SupConHead')),
            'SupConHead does not fit MomentumContrast.*to InBatchContrast',
        ),
        (lambda: moco(head=FNC_MEMORY), 'FalseNegativeMemoryHead does not fit MoCo.*to MomentumC'),
        (lambda: moco(head=CMC), 'CrossViewHead does not fit MoCo.*to CrossViewContrast'),
        (
            lambda: in_batch(head=dict(type='SoftContrastiveHead', memory=QUEUE)),
            'SoftContrastiveHead does not fit InBatchContrast.*to MoCo or MomentumContrast',
        ),
        (
            lambda: in_batch(head=dict(type='NTXentHead'), backbone_head=CONTRASTIVE),
            'ContrastiveHead does not fit InBatchContrast',
        ),
        (lambda: in_batch(head=LINEAR), 'LinearHead does not fit InBatchContrast.*ImageClassifier'),
        (lambda: cross_view(head=CONTRASTIVE), 'ContrastiveHead does not fit CrossViewContrast'),
        (lambda: cross_view(neck=NECK), r'the neck is MLPNeck; expected SplitNeck\(necks='),
        (
            lambda: cross_view(
                neck=dict(type='SplitNeck', necks=[NECK, dict(NECK, in_channels=32)])
            ),
            r'give \[64, 64\] channels but the necks take \[64, 32\].*each entry of necks',
        ),
        (
            lambda: cross_view(backbone=BACKBONE),
            r'give \[64\] channels but the necks take \[64, 64',
        ),
        (
            lambda: in_batch(head=dict(type='DecoupledHead', sigma=0.5), num_views=3),
            'num_views is 3 but DecoupledHead, as it is set, compares at most 2 views',
        ),
        (
            lambda: moco(head=FNC_MEMORY, **dict(MOMENTUM, online_views=(0, 2))),
            r'the views \[2\] are queries but their keys are not contrasted, only .* \[0, 1\]',
        ),
    ],
)
def test_what_does_not_fit_is_refused_when_built(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_fits_is_built() -> None:
    assert type(moco(type='MomentumContrast', head=CONTRASTIVE).head) is heads.ContrastiveHead
    assert type(moco(head=FNC_MEMORY, **MOMENTUM).head) is heads.FalseNegativeMemoryHead
    assert type(in_batch(head=dict(type='DecoupledHead'), num_views=3).head) is heads.DecoupledHead
    both = in_batch(head=dict(type='SupConHead'), backbone_head=dict(type='FairKLHead'))
    assert type(both.head) is heads.SupConHead and type(both.backbone_head) is heads.FairKLHead
    assert type(cross_view().head) is heads.CrossViewHead


def test_a_head_of_ones_own_needs_no_declaration() -> None:
    own = nn.Identity()
    assert in_batch(head=own).head is own


def test_every_head_names_algorithms_that_exist() -> None:
    classes = [vars(heads)[name] for name in heads.__all__ if name.endswith('Head')]
    assert len(classes) > 10
    for head in classes:
        assert head.algorithms, head
        for name in head.algorithms:
            algorithm = MODELS.get(name)
            assert algorithm is not None and issubclass(algorithm, BaseAlgorithm)
