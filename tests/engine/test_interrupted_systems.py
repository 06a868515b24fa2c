"""Runs of systems with a state of their own: interrupted twice, they equal the straight run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.config import load_config
from mochi_mm.launch.named_configs import find_config
from mochi_mm.launch.smoke import to_smoke
from tests.engine.test_resume import assert_same_run, run

#: Systems, and what they hold beside weights.
SYSTEMS = {
    'prototypes and two streams': 'opencon_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
    'centers and a labeled queue': 'paco_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu',
    'a queue for each class': 'rescom_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu',
    'unit prototypes': 'esupcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
    'a threshold for each image': 'glofnd-moco_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
    'labels of clusters': 'ifnd-mochi_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
    'a bank with clusters': 'interclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
    'a classifier beside': 'excon_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
    'norms of adversarial views': 'acl_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
}


def part(folder: Path, name: str, at: int = -1) -> list[str]:
    """Train two epochs of two steps, from the newest checkpoint, to the end or to the signal."""
    config: Any = to_smoke(load_config(find_config(name)), str(folder))
    config.train_cfg.max_epochs = 2
    config.default_hooks.checkpoint.interval = 100
    config.custom_hooks.append(dict(type='SignalHook', at=at))
    config.resume, config.log_level = True, 'ERROR'
    config.experiment_name = f'{folder.name}_{at}_{id(config)}'
    return run(config)


@pytest.mark.parametrize('name', SYSTEMS.values(), ids=SYSTEMS)
def test_two_interruptions_change_nothing(tmp_path: Path, name: str) -> None:
    """In the first step of either epoch."""
    straight = part(tmp_path / 'straight', name)
    parts = [part(tmp_path / 'parts', name, at) for at in (0, 2, -1)]
    assert [len(lines) for lines in parts] == [1, 2, 1] and len(straight) == 4
    assert [line for lines in parts for line in lines] == straight
    assert_same_run(tmp_path / 'straight', tmp_path / 'parts')
