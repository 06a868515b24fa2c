"""The benchmark of the input pipeline runs, on a few small pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from mochi_mm.datasets import ImageFolder
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_writer import PackWriter
from tests.forked import run_tool


def test_runs_and_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for i in range(35):
        pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'images' / f'{i}.jpg')
    out = tmp_path / 'pipeline.json'
    words = ['benchmarks/pipeline.py', str(tmp_path / 'images'), '--size', '16', '--repeats', '1']
    options = PackOptions.of('jpeg', short_side=24)
    PackWriter(ImageFolder(tmp_path / 'images'), tmp_path / 'small', options).write()
    packs = ['--packs', str(tmp_path / 'small')]
    done = run_tool(*words, *packs, '--images', '2', '--json', out)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert result['images'] == 2
    names = ['decode', 'torchvision PIL', 'exact', 'fast', 'device']
    packed = [f'{name}, small' for name in names[2:]]
    assert list(result['measured']) == names + packed
    levels = {name: row.get('gray_levels') for name, row in result['measured'].items()}
    assert levels['exact'] == 0 and levels['device'] is levels['device, small'] is None
    assert 0 < levels['exact, small'] < 60 and 0 < levels['fast, small'] < 60
    assert result['measured']['torchvision PIL']['ratio'] == 1

    done = run_tool(*words, '--images', '35', '--workers', '1')
    assert done.returncode == 0, done.stderr
    done = run_tool(*words, '--images', '35', '--workers', '2')
    assert '35 images for 2 workers; expected at least 64' in done.stderr


def test_small_images_are_held(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f'{i}.png')
    out = tmp_path / 'small.json'
    words = ['benchmarks/pipeline.py', str(tmp_path), '--small', '--size', '8', '--repeats', '1']
    done = run_tool(*words, '--no-blur', '--images', '3', '--json', out)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert list(result['measured'])[:4] == ['torchvision PIL', 'exact', 'fast', 'device']
    assert 0 < result['measured']['fast']['gray_levels'] < 20
    others = {name.split()[0] for name in list(result['measured'])[4:]}
    (said,) = (line for line in done.stdout.splitlines() if line.startswith('not installed'))
    for name, package in dict(lightly='lightly', mmpretrain='onedl-mmpretrain').items():
        assert (name in others) != (package in said)


def test_words_that_do_not_go_together() -> None:
    for words in (['--small', '--workers', '1'], ['--small', '--packs', 'p'], ['--no-blur']):
        done = run_tool('benchmarks/pipeline.py', 'folder', *words)
        assert done.returncode == 2 and '--small' in done.stderr.splitlines()[-1]
