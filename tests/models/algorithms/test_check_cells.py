"""A head on cells and a neck that embeds them come together, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import build_moco, moco_config, views

NECK = dict(type='DenseCLNeck', in_channels=64, out_channels=8)
MEMORY = dict(type='FeatureQueue', length=16, dim=8)
DENSE = dict(type='DenseContrastiveHead', memory=MEMORY)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(heads=dict(dense=DENSE)), 'compares the cells .* the neck is MLPNeck.*DenseCLNeck'),
        (dict(neck=NECK), 'DenseCLNeck embeds the cells .* no head compares them'),
        (dict(neck=NECK, head=dict(DENSE, tap='neck')), "tap is 'neck'; .* expected 'cells'"),
        (
            dict(neck=NECK, heads=dict(dense=dict(DENSE, memory=dict(MEMORY, dim=4)))),
            'the neck gives 8 channels but the memory of dense holds keys of width 4',
        ),
    ],
)
def test_one_without_the_other_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MODELS.build(moco_config(**changes))


def test_in_the_batch_there_are_no_pairs() -> None:
    config = dict(moco_config(neck=NECK, head=DENSE), type='InBatchContrast')
    config.pop('num_splits')
    with pytest.raises(ValueError, match='it takes pairs, the algorithm gives views'):
        MODELS.build(config)


def test_a_model_without_heads_is_measured_with_its_neck() -> None:
    assert MODELS.build(moco_config(neck=NECK, head=None)).neck is not None


def test_features_beside_the_tap_are_of_cells_on_both_sides() -> None:
    model = build_moco(neck=NECK, heads=dict(dense=DENSE), batch_shuffle='none')
    batch = model.data_preprocessor(views(3), True)
    features = model.embed(batch['inputs'][0])
    maps = model.backbone(batch['inputs'][0])[-1]  # (3, 64, 1, 1), of 8 pixels
    assert features.cells.backbone.shape == (3, 1, 64) and features.at('cells').shape == (3, 1, 8)
    assert torch.allclose(features.cells.backbone[:, 0], maps.flatten(1), atol=1e-5)
    losses = model(**batch, mode='loss')
    assert {'loss_contrast', 'dense.loss_contrast', 'dense.share_same_cell'} <= set(losses)
