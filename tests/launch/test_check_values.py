"""Numbers that no run can be made with, and what would never happen in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CIFAR = 'mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
MIXED = 'mochi/mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
PROBE = 'benchmarks/linear/linear_resnet18_1xb256-step-60e_cifar10.py'
GLOFND = 'glofnd/glofnd-moco_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
IFND = 'ifnd/ifnd_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
SIMCLR = 'simclr/simclr_resnet50_16xb256-cosine-200e_in1k.py'
HOOK = 'default_hooks.checkpoint'
BEST = f'{HOOK}.save_best'

LATE = dict(num_hard=4, start_epoch=900, mixers=[dict(type='PairMixing', num=4)])


@pytest.mark.parametrize(
    ('path', 'options', 'message'),
    [
        (CIFAR, {'train_cfg.max_epochs': 0}, 'max_epochs is 0; expected an integer >= 1'),
        (CIFAR, {'train_cfg.max_epochs': 1.5}, 'max_epochs is 1.5; expected an integer'),
        (CIFAR, {'train_cfg.max_epochs': True}, 'max_epochs is True; expected an integer'),
        (PROBE, {'train_cfg.val_interval': 0}, 'val_interval is 0'),
        (PROBE, {'train_cfg.val_begin': 61}, 'val_begin is 61 and the run ends at 60'),
        (CIFAR, {'train_dataloader.batch_size': 12.5}, r'batch_size is 12\.5'),
        (CIFAR, {'train_dataloader.batch_size': 0}, 'batch_size is 0'),
        (
            CIFAR,
            {'query_dataloader.num_workers': -1},
            'num_workers is -1; expected an integer >= 0',
        ),
        (CIFAR, {'train_dataloader.num_workers': 0}, 'persistent_workers=False as well'),
        (CIFAR, {'optim_wrapper.optimizer.lr': -0.1}, r'lr is -0\.1; expected a number >= 0'),
        (CIFAR, {'optim_wrapper.optimizer.lr': 'high'}, "lr is 'high'"),
        (CIFAR, {'optim_wrapper.optimizer.lr': float('nan')}, 'lr is nan'),
        (CIFAR, {'optim_wrapper.optimizer.weight_decay': -1}, 'weight_decay is -1'),
        (CIFAR, {'optim_wrapper.accumulative_counts': 0}, 'accumulative_counts is 0'),
        (CIFAR, {'optim_wrapper.clip_grad.max_norm': 0}, 'max_norm is 0; expected a number > 0'),
        (SIMCLR, {'train_cfg.max_epochs': 10}, r'param_scheduler\.1 .*begins at 10.*ends at 10'),
        (CIFAR, {'param_scheduler.0.end': 0}, r'param_scheduler\.0 .*ends at 0 and begins at 0'),
        (CIFAR, {'param_scheduler.1.T_max': 0}, r'param_scheduler\.1\.T_max is 0'),
        (
            CIFAR,
            {BEST: 'guard/knn'},
            'measured by RepresentationGuardHook, and the config has none',
        ),
        (CIFAR, {BEST: 'knn/top1', f'{HOOK}.rule': 'less'}, 'of this figure the greater is better'),
        (
            CIFAR,
            {BEST: 'knn/top7'},
            'which way this figure of KNNHook is better.*Nearest: knn/top5',
        ),
        (PROBE, {BEST: 'accuracy/top2'}, 'they are accuracy/top1, accuracy/top5'),
        (PROBE, {BEST: 'auto'}, 'they are accuracy/top1, accuracy/top5'),
        (MIXED, {'model.head.start_epoch': 6}, 'start_epoch is 6 but the run ends after 6 epochs'),
        (MIXED, {'train_cfg.max_epochs': 2}, 'start_epoch is 2 but the run ends after 2 epochs'),
        (
            SIMCLR,
            {'model.head.mixing': LATE},
            r'model\.head\.mixing\.start_epoch is 900 but the run ends after',
        ),
        (
            SIMCLR,
            {'model.heads': dict(sup=dict(type='SupConHead', mixing=LATE))},
            r'lower model\.heads\.sup\.mixing\.start_epoch or remove the mixers',
        ),
        (
            GLOFND,
            {'train_cfg.max_epochs': 2},
            r'model\.head\.threshold\.start_epoch is 2 but .*, so it would never act; lower',
        ),
        (
            IFND,
            {'custom_hooks.0.start_epoch': 6},
            r'custom_hooks\.0\.start_epoch is 6 but the run ends after 6 epochs',
        ),
    ],
)
def test_out_of_range(path: str, options: dict[str, Any], message: str) -> None:
    config = load_config(CONFIGS / path, options)
    with pytest.raises(ValueError, match=message):
        check_config(config)


def test_schedules_by_epoch_in_a_loop_without_epochs(tmp_path: Path) -> None:
    (tmp_path / 'child.py').write_text(
        f"_base_ = '{CONFIGS / CIFAR}'\n"
        "train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=100)\n"
        "param_scheduler = [dict(type='CosineAnnealingLR', T_max=100)]"
    )
    with pytest.raises(ValueError, match=r'param_scheduler\.0 .*steps by epochs.*never step'):
        check_config(load_config(tmp_path / 'child.py'))
    check_config(load_config(tmp_path / 'child.py', {'param_scheduler.0.by_epoch': False}))
    (tmp_path / 'other.py').write_text(
        f"_base_ = '{CONFIGS / CIFAR}'\n"
        "train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=100)"
    )
    with pytest.raises(
        KeyError, match=r'T_max refers to \$train_cfg\.max_epochs, but train_cfg has'
    ):
        load_config(tmp_path / 'other.py')


@pytest.mark.parametrize(
    ('path', 'options'),
    [
        (PROBE, {BEST: 'accuracy/top1'}),
        (PROBE, {'train_cfg.val_interval': 1000}),
        (CIFAR, {'train_dataloader.num_workers': 0, 'train_dataloader.persistent_workers': False}),
        (CIFAR, {'train_cfg.max_epochs': 1}),
        (MIXED, {'train_cfg.max_epochs': 2, 'model.head.start_epoch': 1}),
        (CIFAR, {'optim_wrapper.optimizer.lr': 0}),
    ],
)
def test_what_a_run_can_be_made_with(path: str, options: dict[str, Any]) -> None:
    config = load_config(CONFIGS / path, options)
    check_config(config)
    for key, value in options.items():
        node: Any = config
        for part in key.split('.'):
            node = node[part]
        assert node == value, key
