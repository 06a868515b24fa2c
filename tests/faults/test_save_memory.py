"""A save takes at most one further copy of what it saves.

python -m pytest tests/faults/test_save_memory.py

On a CPU the checkpoint is written from the run's own tensors; the library that writes the backbone
beside it makes that file in memory first, twice for a moment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy_runner import REPOSITORY

CODE = """
import json, sys
from pathlib import Path
from mochi_mm.engine.hooks import CheckpointHook
from mochi_mm.experiments.benchmark import peak_extra_bytes
from tests.toy_runner import runner_config, train

folder = Path(sys.argv[1])
config = runner_config(folder, max_epochs=1)
config.model.backbone = dict(type='ResNet', depth=18, stem='small')
config.model.neck.in_channels = 512
config.optim_wrapper.optimizer = dict(type='SGD', lr=0.1)
config.log_level = 'ERROR'
runner = train(config)
hook = next(hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
extra = peak_extra_bytes(lambda: hook.save(runner, 1, 4, 'epoch_1'))
files = [folder / 'epoch_1.pth', folder / 'backbone_epoch_1.safetensors']
print(json.dumps([extra, *(file.stat().st_size for file in files)]))
"""


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='read from /proc')
def test_at_most_one_copy(tmp_path: Path) -> None:
    """Two encoders of 45 MB and no momentum: the backbone file is half of the state."""
    done = subprocess.run(
        [sys.executable, '-c', CODE, str(tmp_path)], cwd=REPOSITORY, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    extra, state, backbone = json.loads(done.stdout.splitlines()[-1])
    assert backbone > 40e6 and state > 2 * backbone
    assert extra < 1.05 * state, f'{extra / 1e6:.0f} MB more for a state of {state / 1e6:.0f} MB'
