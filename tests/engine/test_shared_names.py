"""A runner looks shared names up, whoever has read its config."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.registry import RUNNERS
from tests.toy_runner import runner_config


def test_a_config_that_was_read_by_mmengine_alone(tmp_path: Path) -> None:
    """As mmdet's own tools do: Config.fromfile, merge_from_dict, RUNNERS.build."""
    config = runner_config(tmp_path)
    assert config.visualizer.vis_backends == '$vis_backends'
    config.merge_from_dict({'epochs': 3, 'train_cfg.max_epochs': '$epochs'})
    runner = RUNNERS.build(config)
    assert runner.cfg.train_cfg.max_epochs == 3
    assert runner.cfg.visualizer.vis_backends == config.vis_backends
    written = next(tmp_path.glob('*.py')).read_text()
    assert "'$" not in written and 'max_epochs=3' in written


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    config = runner_config(tmp_path, train_cfg=dict(max_epochs='$epoch'))
    with pytest.raises(KeyError, match=r'train_cfg\.max_epochs refers to \$epoch'):
        RUNNERS.build(config)


def test_custom_keys_of_no_parameter(tmp_path: Path) -> None:
    keys = dict(custom_keys=dict(backbon3=dict(lr_mult=0.1)))
    runner = RUNNERS.build(runner_config(tmp_path, optim_wrapper=dict(paramwise_cfg=keys)))
    with pytest.raises(ValueError, match="custom_keys has 'backbon3'.*Nearest: backbone"):
        runner.train()


def test_start_up_states_the_rates_and_warns_of_an_early_end(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=2)  # of a cosine over four
    RUNNERS.build(config).train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'learning rate: 0.1 at the first step, falls from epoch 2 on, 0.0854 at the last' in log
    assert 'the run ends at epoch 2, before param_scheduler.0.T_max=4: the rate is 0.0854' in log
    assert 'System environment:' in log and 'CUDA available' in log
