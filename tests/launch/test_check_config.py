"""Mistakes in a config are found before anything is built, in both scopes."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config

ROOT = Path(__file__).resolve().parents[2]
DETECTION = 'configs/transfer/shapes/faster-rcnn_r10w025-c4_800_shapes.py'


def test_a_scope_that_nothing_declared_is_left_alone() -> None:
    check_config(Config(dict(default_scope='nobody', model=dict(type='NoSuch'))))
    check_config(Config(dict(model=dict(type='NoSuch'))))
    with pytest.raises(KeyError, match="unknown component 'NoSuch'"):
        check_config(Config(dict(default_scope='mochi_mm', model=dict(type='NoSuch'))))


@pytest.mark.parametrize(
    ('setting', 'value', 'error', 'message'),
    [
        ('model.type', 'MoCoo', KeyError, "model names an unknown component 'MoCoo'.*MoCo"),
        ('model.head.temprature', 1, ValueError, "model.head: .*did you mean 'temperature'"),
        ('optim_wrapper.optimizr', 1, ValueError, "optim_wrapper: .*did you mean 'optimizer'"),
    ],
)
def test_own_scope(setting: str, value: object, error: type[Exception], message: str) -> None:
    config = load_config(ROOT / 'configs/mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py')
    config.merge_from_dict({setting: value})
    with pytest.raises(error, match=message):
        check_config(config)


@pytest.mark.parametrize(
    ('setting', 'value', 'error', 'message'),
    [
        ('model.backbone.type', 'mochi_mm.ResNt', KeyError, r"unknown component 'mochi_mm\.ResNt'"),
        ('model.roi_head.type', 'StandardRoiHed', KeyError, 'Nearest names: StandardRoIHead'),
        ('model.backbone.dept', 18, ValueError, "model.backbone: .*did you mean 'depth'"),
        ('model.data_preprocessor.bgr_to_rbg', 1, ValueError, "did you mean 'bgr_to_rgb'"),
        ('default_hooks.logger.intervall', 1, ValueError, "did you mean 'interval'"),
        ('train_cfg.max_iter', 1, ValueError, "train_cfg: .*did you mean 'max_iters'"),
    ],
)
def test_scope_of_mmdet(setting: str, value: object, error: type[Exception], message: str) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    config = load_config(ROOT / DETECTION)
    check_config(config)  # both libraries' components, and norm_cfg and the like, are accepted
    config.merge_from_dict({setting: value})
    with pytest.raises(error, match=message):
        check_config(config)
