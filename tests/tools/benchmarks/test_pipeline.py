"""The benchmark of the input pipeline runs, on a few small pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.forked import run_tool


def test_runs_and_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for i in range(35):
        pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'images' / f'{i}.jpg')
    out = tmp_path / 'pipeline.json'
    words = ['benchmarks/pipeline.py', str(tmp_path / 'images'), '--size', '16', '--repeats', '1']
    done = run_tool(*words, '--images', '2', '--json', out)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert result['images'] == 2
    assert list(result['measured']) == ['decode', 'torchvision PIL', 'exact', 'fast', 'device']
    assert result['measured']['torchvision PIL']['ratio'] == 1

    done = run_tool(*words, '--images', '35', '--workers', '1')
    assert done.returncode == 0, done.stderr
    done = run_tool(*words, '--images', '35', '--workers', '2')
    assert '35 images for 2 workers; expected at least 64' in done.stderr
