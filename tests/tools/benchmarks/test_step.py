"""The benchmark of the training step runs, on a small network and small images."""

from __future__ import annotations

import json
from pathlib import Path

from tests.forked import run_tool

TOOL = 'benchmarks/step.py'
CONFIG = 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'


def test_runs_and_writes(tmp_path: Path) -> None:
    out = tmp_path / 'step.json'
    words = [CONFIG, '--batch', '8', '--size', '16', '--repeats', '1', '--plain', '--json', out]
    done = run_tool(TOOL, *words)
    assert done.returncode == 0, done.stderr
    measured = json.loads(out.read_text())['measured']
    parts = ['data', 'query forward', 'key encoder', 'head', 'backward', 'optimizer', 'EMA']
    assert list(measured['ours']['parts']) == list(measured['plain']['parts']) == parts
    assert 'largest' in done.stdout and 'plain / ours' in done.stdout


def test_another_algorithm_is_refused() -> None:
    config = 'configs/simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
    done = run_tool(TOOL, config)
    assert done.returncode == 2
    assert 'trains InBatchContrast; expected a config whose model is a MoCo' in done.stderr
