"""Building from any kind of config, whatever the current scope."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

import mochi_mm
from mochi_mm.datasets.transforms import Resize
from mochi_mm.models.algorithms import InBatchContrast, MoCo
from mochi_mm.models.data_preprocessors import ViewDataPreprocessor
from mochi_mm.models.memories import FeatureQueue

QUEUE = dict(type='FeatureQueue', length=8, dim=4)
MODEL = dict(
    type='InBatchContrast',
    backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'),
    head=dict(type='NTXentHead'),
    data_preprocessor=dict(type='ViewDataPreprocessor', mean=(1, 2, 3)),
)


@pytest.mark.parametrize('scope', [None, 'mmengine', 'mmdet'])
def test_a_component_of_any_registry_in_any_scope(scope: str | None) -> None:
    """Also where MMEngine builds a part by the current scope, as it does the preprocessor."""
    with DefaultScope.overwrite_default_scope(scope):
        assert type(mochi_mm.build(QUEUE)) is FeatureQueue
        assert type(mochi_mm.build(dict(type='mochi_mm.FeatureQueue', length=3))) is FeatureQueue
        assert type(mochi_mm.build(dict(type='Resize', size=3))) is Resize
        assert type(mochi_mm.build(MODEL).data_preprocessor) is ViewDataPreprocessor


def test_a_class_is_as_good_as_its_name() -> None:
    assert mochi_mm.build(dict(QUEUE, type=FeatureQueue)).length == 8
    with pytest.raises(ValueError, match="unknown argument 'lenght'"):
        mochi_mm.build(dict(type=FeatureQueue, lenght=8))


@pytest.mark.parametrize('type_', ['MomentumContrast', 'mochi_mm.MomentumContrast'])
def test_parts_that_are_given_are_trained_and_not_copies_of_them(type_: str) -> None:
    """Under a name of 0.1, with or without its scope."""
    backbone, queue = mochi_mm.build(MODEL['backbone']), FeatureQueue(8, 4)
    head = dict(type='ContrastiveHead', memory=queue)
    config = dict(
        type=type_,
        backbone=backbone,
        neck=dict(type='MLPNeck', in_channels=64, out_channels=4),
        head=head,
        batch_shuffle='none',
    )
    model = mochi_mm.build(config)
    assert type(model) is MoCo and model.backbone is backbone and model.head.memory is queue
    assert config['head'] is head and head == dict(type='ContrastiveHead', memory=queue)
    assert '_scope_' not in config


@pytest.mark.parametrize('kind', ['model', 'dict', 'Config', 'path', 'text'])
def test_a_model(kind: str, tmp_path: Path) -> None:
    path = tmp_path / 'small.py'
    path.write_text(f'"""A model."""\n\nmodel = {MODEL!r}\n')
    whole = dict(model=MODEL, train_dataloader=None)
    given: dict[str, Any] = dict(
        model=MODEL, dict=whole, Config=Config(whole), path=path, text=str(path)
    )
    model = mochi_mm.build(given[kind])
    assert type(model) is InBatchContrast
    assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]
    assert MODEL['data_preprocessor'] == dict(type='ViewDataPreprocessor', mean=(1, 2, 3))


@pytest.mark.parametrize(
    ('config', 'error', 'message'),
    [
        (dict(type='FeatureQue'), KeyError, r"'FeatureQue' is not a registered.*: FeatureQueue"),
        (dict(QUEUE, lenght=8), ValueError, "'lenght'; did you mean 'length'"),
        (dict(length=8), ValueError, r"\{'length': 8\} cannot be built; expected a dict with type"),
        ([QUEUE], ValueError, 'cannot be built; expected a dict with type'),
        ('none.py', FileNotFoundError, 'no config at none.py'),
    ],
)
def test_what_cannot_be_built(config: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mochi_mm.build(config)


def test_detectors_are_built_in_their_scope() -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    model = mochi_mm.get_model('faster-rcnn_r10w025-c4_800_shapes')
    assert type(model).__module__.startswith('mmdet.')
    assert type(model.roi_head.shared_head).__name__ == 'C4SharedHead'
    assert all(torch.isfinite(value).all() for value in model.parameters())
