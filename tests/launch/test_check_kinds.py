"""Values of another kind than their place takes: one paragraph that names the place."""

from __future__ import annotations

from typing import Any

import pytest
from mmengine.config import Config

from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.check_kinds import check_kinds
from mochi_mm.launch.config import load_config
from mochi_mm.launch.mistakes import mistake_of
from mochi_mm.launch.options import parse_options
from mochi_mm.launch.runner import build_runner
from mochi_mm.launch.smoke import to_smoke
from tests.toy_runner import REPOSITORY

CONFIG = REPOSITORY / 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'
PLAIN = load_config(CONFIG)


def config_with(*words: str) -> Any:
    return load_config(CONFIG, parse_options(words))._cfg_dict


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ('val_cfg=5', 'val_cfg is 5; expected a dictionary'),
        ('optim_wrapper=5', 'optim_wrapper is 5'),
        ('optim_wrapper.clip_grad=1.0', 'optim_wrapper.clip_grad is 1.0; expected a dictionary'),
        ('optim_wrapper.optimizer=Adam', "optim_wrapper.optimizer is 'Adam'"),
        ('optim_wrapper.paramwise_cfg=5', 'optim_wrapper.paramwise_cfg is 5'),
        ('optim_wrapper.paramwise_cfg.custom_keys=5', 'custom_keys is 5'),
        ('default_hooks=abc', "default_hooks is 'abc'"),
        ('default_hooks.checkpoint=5', 'default_hooks.checkpoint is 5'),
        ('default_hooks.checkpoint.max_keep_ckpts=1.5', 'max_keep_ckpts is 1.5; .* or -1 to keep'),
        (
            'default_hooks.checkpoint.interval=1.5',
            'checkpoint.interval is 1.5',
        ),
        ('default_hooks.logger.interval=0', 'logger.interval is 0; expected an integer >= 1'),
        ('custom_hooks=KNNHook', "custom_hooks is 'KNNHook'; expected a list of dictionaries"),
        ('model=resnet', "model is 'resnet'"),
        ('model.head=5', 'model.head is 5'),
        ('model.backbone=resnet18', "model.backbone is 'resnet18'"),
        ('param_scheduler=cosine', "param_scheduler is 'cosine'; .* or a list of them"),
        ('auto_scale_lr=True', 'auto_scale_lr is True'),
        ('env_cfg=fast', "env_cfg is 'fast'"),
        ('env_cfg.mp_cfg.mp_start_method=frok', "is 'frok'; expected one of fork"),
        ('env_cfg.resource_limit=abc', "env_cfg.resource_limit is 'abc'"),
        ('randomness.seed=-1', 'randomness.seed is -1'),
        ('log_level=INFOO', "log_level is 'INFOO'; expected one of DEBUG"),
        ('train_dataloader=3', 'train_dataloader is 3'),
        ('train_dataloader.collate_fn=x', "train_dataloader.collate_fn is 'x'"),
        ('train_dataloader.worker_init_fn=x', "train_dataloader.worker_init_fn is 'x'"),
        ('train_dataloader.drop_last=3', 'train_dataloader.drop_last is 3; expected True or False'),
        ('train_dataloader.sampler.seed=abc', "sampler.seed is 'abc'; expected an integer >= 0"),
        ('train_dataloader.dataset.pipeline=[]', 'pipeline is .*; expected a list of transforms'),
        ('visualizer.vis_backends=tb', "visualizer.vis_backends is 'tb'"),
    ],
)
def test_another_kind(words: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_config(Config(config_with(words)))


def test_configs_of_the_project_have_the_right_kinds() -> None:
    paths = sorted((REPOSITORY / 'configs').glob('[a-z]*/*.py'))[::9]
    assert len(paths) > 9
    for path in paths:
        check_kinds(load_config(path)._cfg_dict)


@pytest.mark.parametrize('key', ['data_root', 'split'])
def test_numbers_for_a_text(key: str) -> None:
    """On the command line they are a text where the config says nothing; in a config, refused."""
    config = config_with(f'train_dataloader.dataset.{key}=2012')
    assert config['train_dataloader']['dataset'][key] == '2012'
    config['train_dataloader']['dataset'] = {'type': 'InMemory', 'dataset': {key: 2012}}
    with pytest.raises(ValueError, match=f'dataset.dataset.{key} is 2012; expected a text, in quo'):
        check_kinds(config)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        (dict(val_cfg=dict(x=1)), "MMEngine's init could not be made of the config"),
        (dict(visualizer=dict(type='Visualizer', save_dir=3)), 'could not be made of the config'),
    ],
)
def test_what_stumbles_while_it_is_built(changes: dict[str, Any], said: str) -> None:
    config = to_smoke(PLAIN)
    config.update(changes)
    with pytest.raises(Exception) as caught:
        build_runner(config)
    text = mistake_of(caught.value)
    assert text is not None and said in text, text
