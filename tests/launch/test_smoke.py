"""--smoke says nothing of its own few images, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mochi_mm.launch.config import load_config
from mochi_mm.launch.smoke import to_smoke

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'


def smoke(tmp_path: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run tools/train.py --smoke with a temporary folder of its own; return what is left there."""
    temporary = tmp_path / 'tmp'
    temporary.mkdir()
    environment = dict(os.environ, TMPDIR=str(temporary), OMP_NUM_THREADS='1')
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(CONFIG), '--smoke', *words]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    left = [path.name for path in temporary.iterdir() if path.name.startswith('mochi_mm')]
    return done, left


def test_no_warning_and_no_folder(tmp_path: Path) -> None:
    done, left = smoke(tmp_path)
    assert done.returncode == 0 and 'smoke run passed' in done.stdout
    assert 'WARNING' not in done.stdout + done.stderr
    assert left == []
    assert [path.name for path in tmp_path.iterdir()] == ['tmp']


def test_a_run_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    done, left = smoke(tmp_path, '--cfg-options', 'model.neck.in_channels=3')
    assert done.returncode != 0 and left == []


@pytest.mark.parametrize('inside', [True, False])
def test_several_folders_become_scenes(inside: bool) -> None:
    """The transforms stand once, or in each data set."""
    config = load_config(CONFIG)
    pipeline = config.train_dataloader.dataset.pipeline
    part = dict(
        type='ImageFolder', data_root='/nowhere', **(dict(pipeline=pipeline) if inside else {})
    )
    whole = dict(type='ConcatDataset', datasets=[part, part])
    config.train_dataloader.dataset = whole if inside else dict(whole, pipeline=pipeline)
    config.train_dataloader.timeout = 600
    loader = to_smoke(config).train_dataloader
    assert loader.dataset == dict(type='ShapeScenes', num_scenes=8, pipeline=pipeline)
    assert 'timeout' not in loader


def test_the_hook_is_told_in_either_list() -> None:
    hooks = dict(default_hooks=dict(check=dict(type='mochi_mm.RunCheckHook'), other=None))
    config = to_smoke(Config(dict(hooks, custom_hooks=[dict(type='RunCheckHook')])))
    assert config.default_hooks.check.memory is config.custom_hooks[0].memory is False
