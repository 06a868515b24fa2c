"""The benchmark of the training step runs, on a small network and small images."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CONFIG = 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'


def test_runs_and_writes(tmp_path: Path) -> None:
    out = tmp_path / 'step.json'
    command = [sys.executable, 'tools/benchmarks/step.py', CONFIG, '--batch', '8', '--size', '16']
    command += ['--repeats', '1', '--plain', '--json', str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    measured = json.loads(out.read_text())['measured']
    parts = ['data', 'query forward', 'key encoder', 'head', 'backward', 'optimizer', 'EMA']
    assert list(measured['ours']['parts']) == list(measured['plain']['parts']) == parts
    assert 'largest' in done.stdout and 'plain / ours' in done.stdout


def test_another_algorithm_is_refused() -> None:
    config = 'configs/simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
    command = [sys.executable, 'tools/benchmarks/step.py', config]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert 'trains InBatchContrast; expected a config whose model is a MoCo' in done.stderr
