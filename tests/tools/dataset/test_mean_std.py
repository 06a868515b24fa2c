"""Mean and standard deviation of a folder, and which of its files do not fit."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.unfit_image import UnfitImage
from tests.toy_runner import REPOSITORY

tifffile = pytest.importorskip('tifffile')
mean_std: Any = runpy.run_path(str(REPOSITORY / 'tools/dataset/mean_std.py'))['main']
judge: Any = runpy.run_path(str(REPOSITORY / 'tools/dataset/check.py'))['judge']


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('bands')
    for i in range(5):
        (root / f'{i % 2}').mkdir(exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 9000 * (i + 1), (6 + i, 7, 4))
        tifffile.imwrite(root / f'{i % 2}/{i}.tif', pixels.astype(np.uint16), photometric='rgb')
    return root


def test_measures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(folder), '--channels', '4', '--bits', '16', '--workers', '1']
    mean_std([*words, '--out', str(tmp_path / 'a.json')])
    every = np.concatenate([tifffile.imread(p).reshape(-1, 4) for p in folder.rglob('*.tif')])
    levels = every / 257
    found = json.loads((tmp_path / 'a.json').read_text())
    np.testing.assert_allclose(found['mean'], levels.mean(0), atol=1e-3)
    np.testing.assert_allclose(found['std'], levels.std(0), atol=1e-3)
    np.testing.assert_allclose(found['largest'], levels.max(0), atol=1e-3)
    said = capsys.readouterr().out
    assert f'5 of 5 images, {len(levels)} pixels' in said
    assert f'data_preprocessor=dict(mean={tuple(found["mean"])}, std={tuple(found["std"])})' in said


def test_mistakes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnfitImage, match=r'it has 4 channels; expected 3 channels of 16 bits'):
        mean_std([str(folder), '--channels', '3', '--bits', '16', '--workers', '1'])
    with pytest.raises(ValueError, match='bits is 16 but channels is not set'):
        mean_std([str(folder), '--bits', '16', '--workers', '1'])
    with pytest.raises(SystemExit):
        mean_std([str(folder), '--num', '0'])
    assert not list(tmp_path.iterdir())


def test_check_names_what_does_not_fit(folder: Path, tmp_path: Path) -> None:
    reader = ImageReader(4, 16)
    assert judge('1/3.tif', str(folder), reader).verdict == 'ok'
    Image.new('RGB', (8, 8)).save(tmp_path / 'rgb.png')
    found = judge('rgb.png', str(tmp_path), reader)
    assert 'it has 3 channels (RGB)' in found.verdict and found.mode == 'RGB'
    assert judge('rgb.png', str(tmp_path), ImageReader()).verdict == 'ok'
