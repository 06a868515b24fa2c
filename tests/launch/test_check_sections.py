"""Keys that nothing reads are named, with the nearest that something does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mochi_mm.engine.hooks import EMAUpdateHook
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.check_sections import check_sections, loaders
from mochi_mm.launch.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CIFAR = CONFIGS / 'mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
SEMI = CONFIGS / 'benchmarks/semi_supervised/semi-1p_resnet18_1xb256-step-20e_cifar10.py'


@pytest.mark.parametrize(
    ('option', 'value', 'near'),
    [
        ('auto_scale_lr.enabled', True, 'enable'),
        ('auto_scale_lr.base_batchsize', 3, 'base_batch_size'),
        ('env_cfg.cudnn_benchmrk', True, 'cudnn_benchmark'),
        ('env_cfg.dist_cfg.timeouts', 3, 'timeout'),
        ('env_cfg.mp_cfg.mp_start_methd', 'spawn', 'mp_start_method'),
        ('randomness.seeds', 3, 'seed'),
        ('optim_wrapper.paramwise_cfg.norm_decay_multi', 0, 'norm_decay_mult'),
        ('optim_wrapper.paramwise_cfg.custom_keys.head.lr_mlt', 0, 'lr_mult'),
        ('optim_wrapper.clip_grad.max_nrom', 1, 'max_norm'),
        ('train_dataloader.num_worker', 1, 'num_workers'),
        ('query_dataloader.batchsize', 1, 'batch_size'),
        ('custom_hooks.0.bank_dataloader.batchsize', 1, 'batch_size'),
        ('log_processor.window', 1, 'window_size'),
    ],
)
def test_keys_that_nothing_reads(option: str, value: Any, near: str) -> None:
    config = load_config(CIFAR, {option: value})
    where, key = option.rsplit('.', 1)
    with pytest.raises(ValueError, match=f'{where} has a setting {key!r}.*did you mean {near!r}'):
        check_config(config)


def test_hooks_without_a_type_and_parts_without_a_dictionary() -> None:
    with pytest.raises(ValueError, match=r'default_hooks\.loger .*Nearest: logger'):
        check_config(load_config(CIFAR, {'default_hooks.loger.interval': 5}))
    option = {'optim_wrapper.paramwise_cfg.custom_keys.head': 0.1}
    with pytest.raises(ValueError, match=r'custom_keys\.head is 0\.1; expected a dictionary'):
        check_config(load_config(CIFAR, option))


def test_what_is_read_passes() -> None:
    check_config(load_config(SEMI, {'auto_scale_lr.enable': True}))
    foreign = dict(constructor='LayerDecayConstructor', paramwise_cfg=dict(num_layers=12))
    check_sections(dict(optim_wrapper=foreign, log_processor=dict(type='Own', x=1)))
    check_sections(dict(default_hooks=dict(logger=None), env_cfg=None))
    del foreign['constructor']
    with pytest.raises(ValueError, match="paramwise_cfg has a setting 'num_layers'"):
        check_sections(dict(optim_wrapper=foreign))
    with pytest.raises(ValueError, match="log_processor has a setting 'x'"):
        check_sections(dict(log_processor=dict(x=1)))


def test_loaders_are_found_wherever_they_stand() -> None:
    found = dict(loaders(load_config(CIFAR)._cfg_dict))
    assert set(found) == {
        'train_dataloader',
        'bank_dataloader',
        'query_dataloader',
        'custom_hooks.0.bank_dataloader',
        'custom_hooks.0.query_dataloader',
    }
    assert not dict(loaders(Config(dict(train_dataloader=None))._cfg_dict))


@pytest.mark.parametrize('kind', ['EMAUpdateHook', 'mochi_mm.EMAUpdateHook', EMAUpdateHook])
def test_a_hook_of_the_defaults_a_second_time(kind: Any) -> None:
    """By whatever name."""
    config = load_config(CIFAR)
    config.custom_hooks = [dict(type=kind)]
    with pytest.raises(ValueError, match=r'custom_hooks\[0\] is a EMAUpdateHook, which default'):
        check_config(config)


def test_the_constructor_with_its_scope() -> None:
    wrapper = dict(constructor='mochi_mm.LayerWiseRates', paramwise_cfg=dict(norm_decay_mut=0.0))
    with pytest.raises(ValueError, match="did you mean 'norm_decay_mult'"):
        check_sections(dict(optim_wrapper=wrapper))
