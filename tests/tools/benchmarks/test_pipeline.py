"""The benchmark of the input pipeline runs, on a few small pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]


def test_runs_and_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for i in range(35):
        pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'images' / f'{i}.jpg')
    out = tmp_path / 'pipeline.json'
    command = [sys.executable, 'tools/benchmarks/pipeline.py', str(tmp_path / 'images')]
    command += ['--images', '2', '--size', '16', '--repeats', '1', '--json', str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert result['images'] == 2
    assert list(result['measured']) == ['decode', 'torchvision PIL', 'exact', 'fast', 'device']
    assert result['measured']['torchvision PIL']['ratio'] == 1

    command[-8:] = ['--images', '35', '--size', '16', '--repeats', '1', '--workers', '1']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    command[-1] = '2'
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert '35 images for 2 workers; expected at least 64' in done.stderr
