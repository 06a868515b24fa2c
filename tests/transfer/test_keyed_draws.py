"""Augmentation of mmdet's pipelines depends on the key of the sample alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope

from mochi_mm.launch.config import load_config
from mochi_mm.randomness import SampleKey
from tests.transfer.scenes import VOC_CONFIG


@pytest.fixture
def dataset(voc_scenes: Path) -> Any:
    settings = load_config(VOC_CONFIG).train_dataloader.dataset
    settings.data_root = str(voc_scenes)
    settings.pipeline[2] = dict(
        type='RandomChoiceResize', scales=[(side, side) for side in range(40, 60)], keep_ratio=True
    )
    init_default_scope('mmdet')
    return DATASETS.build(settings)


def test_draws_repeat_for_a_key_and_differ_between_epochs(dataset: Any) -> None:
    def sizes(epoch: int) -> list[int]:
        return [dataset[SampleKey(i, 3, epoch)]['inputs'].shape[-1] for i in range(6)]

    first = sizes(0)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert sizes(0) == first
    others = [sizes(epoch) for epoch in range(1, 4)]
    assert len({tuple(s) for s in [first, *others]}) == 4
    assert len(set(first)) > 1


def test_global_generators_are_left_alone(dataset: Any) -> None:
    def states() -> tuple:
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002

    before = states()
    dataset[SampleKey(0, 1, 2)]
    assert states() == before
