"""What does not fit is refused when the model is built, and what would fit is named."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from mochi_mm.models import heads
from mochi_mm.models.algorithms import MoCo
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.algorithms.check_fit import ALGORITHMS, check_pair_views
from mochi_mm.registry import MODELS
from mochi_mm.structures.features import CELLS, TAPS
from tests.models.algorithms.toy import build_moco

BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')
NECK = dict(type='MLPNeck', in_channels=64, out_channels=8)
BANK = dict(type='InstanceBank', length=10, dim=8)
QUEUE = dict(type='FeatureQueue', length=16, dim=8)
BALANCED = dict(type='ClassBalancedQueue', num_classes=3, per_class=3, dim=8)
FINDER = dict(type='FalseNegativeFinder', num_support=1, support='score')
FNC_MEMORY = dict(type='FalseNegativeHead', memory=QUEUE, finder=FINDER)
CMC = dict(type='CrossViewHead', memories=[BANK, BANK], num_negatives=5)
CONTRASTIVE = dict(type='ContrastiveHead', memory=QUEUE)


def moco(**kwargs: Any) -> Any:
    return build_moco(mixing=False, batch_shuffle='none', **kwargs)


def in_batch(**kwargs: Any) -> Any:
    config = dict(type='InBatchContrast', backbone=BACKBONE, neck=NECK)
    return MODELS.build({**config, **kwargs})


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


MIXES = dict(view_editors=[dict(type='InstanceMix')])
UNICON, UNIVERSUM = dict(type='UniConHead'), dict(type='UniversumMixing')
REVERSE = dict(type='ReverseMixing')


@pytest.mark.parametrize(
    ('head', 'editors', 'message'),
    [
        (UNICON, [], r"makes universum .* none that makes any; .*dict\(type='UniversumMixing'\)"),
        (UNICON, [REVERSE], 'view_editors has ReverseMixing; expected just'),
        (UNICON, [UNIVERSUM, UNIVERSUM], 'has UniversumMixing, UniversumMixing; expected just'),
        (dict(type='SupMixHead'), [UNIVERSUM], r"makes mixed views.*dict\(type='ReverseMixing'\)"),
        (dict(type='SupConHead'), [UNIVERSUM], 'UniversumMixing makes views that SupConHead would'),
        (UNICON, [dict(UNIVERSUM, label_key='kind')], "is 'gt_label' but that of UniversumMixing"),
        (
            dict(type='SupMixHead', label_key='kind'),
            [REVERSE],
            "label_key of SupMixHead is 'kind' but that of ReverseMixing is 'gt_label'",
        ),
    ],
)
def test_views_that_are_made_and_heads_that_need_them_meet(
    head: Any, editors: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        in_batch(head=head, view_editors=editors)
    with pytest.raises(ValueError, match='UniversumMixing makes views that ContrastiveHead would'):
        moco(view_editors=[UNIVERSUM])
    with pytest.raises(ValueError, match='UniversumMixing makes views that NTXentHead would'):
        in_batch(head=UNICON, heads=dict(more=dict(type='NTXentHead')), view_editors=[UNIVERSUM])
    in_batch(head=UNICON, view_editors=[UNIVERSUM], num_views=1)
    in_batch(head=dict(type='SupMixHead'), view_editors=[REVERSE])


SUPPORT = dict(online_views=(0, 1), target_views=(0, 1, 2))
LINEAR = dict(type='LinearHead', num_classes=3, in_channels=64)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: moco(head=dict(type='SupConHead')), 'SupConHead does not fit MoCo.*InBatchCon'),
        (
            lambda: moco(head=dict(type='FalseNegativeHead', finder=FINDER)),
            'FalseNegativeHead does not fit MoCo: it takes views, the algorithm gives pairs; set '
            'the type of the model to InBatchContrast',
        ),
        (
            lambda: moco(head=FNC_MEMORY),
            'got 1 views of each image, too few for 1 support views; expected at least 3',
        ),
        (
            lambda: in_batch(head=dict(type='SupConHead', memory=QUEUE)),
            'SupConHead does not fit InBatchContrast: it takes pairs.*to MoCo',
        ),
        (
            lambda: in_batch(head=dict(type='KeyBatchHead')),
            'KeyBatchHead does not fit InBatchContrast: it takes pairs.*to MoCo',
        ),
        (lambda: moco(head=CMC), 'CrossViewHead does not fit MoCo.*to CrossViewContrast'),
        (
            lambda: in_batch(head=dict(type='SoftContrastiveHead', memory=QUEUE)),
            'SoftContrastiveHead does not fit InBatchContrast: it takes pairs.*to MoCo',
        ),
        (
            lambda: in_batch(head=dict(type='NTXentHead'), heads=dict(second=CONTRASTIVE)),
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
            lambda: moco(head=FNC_MEMORY, **dict(SUPPORT, online_views=(0, 2))),
            r'the views \[2\] are queries but their keys are not contrasted, only .* \[0, 1\]',
        ),
    ],
)
def test_what_does_not_fit_is_refused_when_built(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_fits_is_built() -> None:
    assert type(moco(head=CONTRASTIVE).head) is heads.ContrastiveHead
    assert type(moco(head=FNC_MEMORY, **SUPPORT).head) is heads.FalseNegativeHead
    assert type(moco(head=dict(type='SupConHead', memory=QUEUE)).head) is heads.SupConHead
    assert type(moco(head=dict(type='KeyBatchHead')).head) is heads.KeyBatchHead
    assert type(in_batch(head=dict(type='DecoupledHead'), num_views=3).head) is heads.DecoupledHead
    both = in_batch(
        head=dict(type='SupConHead'), heads=dict(fair=dict(type='FairKLHead', tap='backbone'))
    )
    assert type(both.head) is heads.SupConHead and type(both.heads['fair']) is heads.FairKLHead
    assert type(cross_view().head) is heads.CrossViewHead


def test_a_classifier_beside_an_objective() -> None:
    """The multi-task baselines, and centers that are learned with the embeddings."""
    classifier = dict(type='BalancedSoftmaxHead', num_classes=3, in_channels=64)
    both = in_batch(head=dict(type='SupConHead', weight=0.1), heads=dict(classifier=classifier))
    assert type(both.heads['classifier']) is heads.BalancedSoftmaxHead
    moco(head=CONTRASTIVE, heads=dict(classifier=classifier))
    centers = dict(type='ParametricContrastHead', memory=QUEUE, num_classes=3, in_channels=64)
    moco(head=centers)
    in_batch(head=dict(centers, anchor_views='both'))
    with pytest.raises(ValueError, match='takes pairs, the algorithm gives views'):
        in_batch(head=centers)
    with pytest.raises(ValueError, match='takes views, the algorithm gives pairs'):
        moco(head=dict(centers, anchor_views='both'))
    with pytest.raises(ValueError, match='2 views of the trained encoder and 2 of the averaged'):
        moco(head=centers, online_views=(0, 1), target_views=(0, 1))
    for wrong in (dict(classifier, in_channels=8), dict(centers, in_channels=8)):
        with pytest.raises(ValueError, match=r'backbone gives 64 channels but the \w+ takes 8'):
            moco(head=CONTRASTIVE, heads=dict(second=wrong))


def test_a_memory_is_as_wide_as_what_its_head_taps() -> None:
    wide = dict(type='ContrastiveHead', memory=dict(QUEUE, dim=64), tap='backbone')
    both = moco(head=wide, heads=dict(second=CONTRASTIVE))
    assert both.head.memory.dim == 64 and both.heads['second'].memory.dim == 8
    with pytest.raises(
        ValueError, match='the backbone gives 64 channels but the memory holds keys'
    ):
        moco(head=dict(CONTRASTIVE, tap='backbone'))
    with pytest.raises(ValueError, match='the neck gives 8 channels but the memory of second hold'):
        moco(head=CONTRASTIVE, heads=dict(second=dict(wide, tap='neck')))
    with pytest.raises(
        ValueError, match='the backbone gives 64 .* memory of second .*dim to 64[.]'
    ):
        moco(head=CONTRASTIVE, heads=dict(second=dict(CONTRASTIVE, tap='backbone')))


def test_the_names_of_the_first_version_build_the_same() -> None:
    fnc = moco(
        head=dict(FNC_MEMORY, type='FalseNegativeMemoryHead'), type='MomentumContrast', **SUPPORT
    )
    assert type(fnc) is MoCo and type(fnc.head) is heads.FalseNegativeHead
    fair = dict(type='FairKLHead')
    both = in_batch(head=dict(type='SupConHead'), backbone_head=fair)
    assert both.heads['backbone_head'].tap == 'backbone' and 'tap' not in fair
    contrastive = moco(head=dict(type='LabelledMemoryHead', memory=QUEUE, num_hard=3))
    assert type(contrastive.head) is heads.SupConHead and contrastive.head.mixing.num_hard == 3


def test_a_head_of_ones_own_needs_no_declaration() -> None:
    own = nn.Identity()
    assert in_batch(head=own).head is own


def test_a_tap_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="tap of NTXentHead is 'map'; expected one of backbone, n"):
        in_batch(head=dict(type='NTXentHead', tap='map'))


SETTINGS: dict[str, dict[str, Any]] = dict(
    ContrastiveHead=dict(memory=QUEUE),
    CrossViewHead=CMC,
    ESupConHead=dict(num_classes=2, in_channels=8),
    FalseNegativeHead=dict(finder=FINDER),
    HardNegativeMixingHead=dict(memory=QUEUE, num_hard=4),
    AuxiliaryClassifierHead=LINEAR,
    BalancedSoftmaxHead=dict(LINEAR, class_counts=None),
    DenseContrastiveHead=dict(memory=QUEUE),
    InterClusterHead=dict(
        bank=dict(type='ClusterBank', length=8, num_clusters=2, dim=8), memory=QUEUE
    ),
    LinearHead=LINEAR,
    OpenConHead=dict(num_classes=3, num_known=2, in_channels=8),
    ParametricContrastHead=dict(memory=QUEUE, num_classes=2, in_channels=64),
    PseudoLabelHead=dict(
        pseudo_labels=dict(type='PseudoLabels', length=8, num_clusters=[2]), memory=QUEUE
    ),
    ResComHead=dict(memory=BALANCED, num_negatives=2),
    SoftContrastiveHead=dict(memory=QUEUE),
)


@pytest.mark.parametrize('name', [n for n in heads.__all__ if n != 'BaseContrastiveHead'])
def test_every_head_takes_what_an_algorithm_gives(name: str) -> None:
    head = MODELS.build(dict(SETTINGS.get(name, {}), type=name))
    assert head.takes in (*ALGORITHMS, 'any') and head.tap in (*TAPS, CELLS)
    if head.takes == 'any':
        return
    algorithm = MODELS.get(ALGORITHMS[head.takes])
    assert issubclass(algorithm, BaseAlgorithm) and algorithm.gives == head.takes


def test_the_predictor_and_the_widths() -> None:
    predictor = dict(type='MLPNeck', in_channels=8, out_channels=8)
    assert moco(predictor=predictor).predictor is not None
    for change, given in ((dict(in_channels=7), '7 to 8'), (dict(out_channels=9), '8 to 9')):
        with pytest.raises(ValueError, match=f'predictor goes from {given} channels but the neck'):
            moco(predictor=dict(predictor, **change))
    with pytest.raises(ValueError, match='backbone gives 64 channels but the neck takes 32'):
        in_batch(neck=dict(NECK, in_channels=32), head=dict(type='NTXentHead'))


@pytest.mark.parametrize(
    ('online', 'target', 'number'),
    [((0,), (1,), 2), ((1,), (0,), 2), ((0, 1), (0, 1), 2), ((0,), (0, 1, 2), 3)],
)
def test_views_are_counted(online: Any, target: Any, number: int) -> None:
    assert check_pair_views(online, target, []) == number


@pytest.mark.parametrize(('online', 'target'), [((0,), (0,)), ((0,), (2,)), ((1,), (2,)), ((), ())])
def test_views_with_a_gap_or_without_a_pair(online: Any, target: Any) -> None:
    with pytest.raises(ValueError, match='expected the numbers 0 to V - 1'):
        check_pair_views(online, target, [])


@pytest.mark.parametrize(
    'make',
    [
        lambda: moco(head=dict(type='SupConHead', memory=QUEUE), **MIXES),
        lambda: moco(head=FNC_MEMORY, **SUPPORT, **MIXES),
        lambda: in_batch(head=dict(type='NTXentHead'), **MIXES),
        lambda: in_batch(head=dict(type='BregmanHead', in_channels=8), **MIXES),
        lambda: in_batch(
            head=dict(type='NPairHead'), heads=dict(bias=dict(type='FairKLHead')), **MIXES
        ),
        lambda: cross_view(**MIXES),
    ],
)
def test_a_head_with_one_target_is_refused_beside_an_editor_that_mixes_two(make: Any) -> None:
    with pytest.raises(ValueError, match='InstanceMix mixes two images .* NPairHead in InBatch'):
        make()


@pytest.mark.parametrize(
    'head', ['ContrastiveHead', 'HardNegativeMixingHead', 'SoftContrastiveHead']
)
def test_heads_with_two_targets_are_built(head: str) -> None:
    number = dict(num_hard=3) if head == 'HardNegativeMixingHead' else {}
    model = moco(head=dict(type=head, memory=QUEUE, **number), **MIXES)
    assert model.query_views == (0,)
    assert moco(head=dict(type='KeyBatchHead'), online_views=(1,), target_views=(0,), **MIXES)
    assert in_batch(head=dict(type='NPairHead'), **MIXES).query_views == (0,)


def test_a_mixed_view_is_no_key() -> None:
    with pytest.raises(ValueError, match=r'mixes the queries .* the views \[1\] are both; set'):
        moco(online_views=(0, 1), target_views=(1,), **MIXES)
    assert moco(online_views=(0, 1), target_views=(1,)).query_views == (0, 1)
