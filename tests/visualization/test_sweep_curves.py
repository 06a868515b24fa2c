"""Curves of several runs: as many panels as asked for, the mean of the seeds in each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mochi_mm.runs.run import read_run
from mochi_mm.visualization.sweep_curves import Panel, _over_seeds, draw_curves
from tests.visualization.report.toy import write_run

LOSS = Panel('log', 'loss', 'loss (nats)')
UNIFORMITY = Panel('analysis', 'uniformity/backbone', 'uniformity')


@pytest.mark.parametrize(('count', 'width', 'height'), [(1, 357, 363), (5, 1430, 726)])
def test_panels(count: int, width: int, height: int, tmp_path: Path) -> None:
    from PIL import Image

    runs = [read_run(write_run(tmp_path / f'seed_{seed}', seed)) for seed in (0, 1)]
    path = tmp_path / 'curves.png'
    panels = [LOSS, UNIFORMITY, LOSS, UNIFORMITY, Panel('log', 'nothing', 'nothing')][:count]
    draw_curves(path, {'one': runs, 'other': runs[:1]}, 'title', panels)
    with Image.open(path) as picture:
        assert picture.size == (width, height)
        pixels = np.asarray(picture.convert('RGB')).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 50


def test_the_mean_is_taken_where_all_seeds_are() -> None:
    curves = [([1.0, 2.0, 3.0], [0.1, 0.2, 0.3]), ([1.0, 3.0], [0.3, 0.5])]
    x, low, mean, high = _over_seeds(curves, 100.0)
    assert x.tolist() == [1.0, 3.0]
    np.testing.assert_allclose([low, mean, high], [[10, 30], [20, 40], [30, 50]])
