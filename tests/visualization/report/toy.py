"""Work dirs as training leaves them, written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.evaluation.analysis import write_analysis

CONFIG = """
model = dict(
    head=dict(num_hard={num_hard}, temperature=0.2, type='HardNegativeMixingHead'), type='MoCo')
train_cfg = dict(max_epochs=3)
work_dir = {folder!a}
"""
LOG = """2026/01/02 03:04:05 - mmengine - INFO -
------------------------------------------------------------
System environment:
    sys.platform: linux
    Python: 3.11.7
    PyTorch compiling details: PyTorch built with:
  - GCC 13.3

    MMEngine: {engine}

Runtime environment:
    seed: 0
    Distributed launcher: none
------------------------------------------------------------

2026/01/02 03:04:06 - mmengine - INFO - Config:
    after: the end
"""


def step(number: int, loss: float, per_epoch: int = 4, **more: Any) -> dict[str, Any]:
    """A line of training as MMEngine's LoggerHook writes it."""
    epoch = (number - 1) // per_epoch + 1
    return dict(lr=0.1 / number, loss=loss, epoch=epoch, iter=number, step=number, **more)


def write_start(
    folder: Path, time: str, lines: Sequence[Any], num_hard: int = 8, engine: str = '0.10.12'
) -> None:
    """Write what one start of a run leaves; a line that is text is written as it is."""
    start = folder / time / 'vis_data'
    start.mkdir(parents=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (start / 'scalars.json').write_text('\n'.join(texts) + '\n')
    (start / 'config.py').write_text(CONFIG.format(num_hard=num_hard, folder=str(folder)))
    (folder / time / f'{time}.log').write_text(LOG.format(engine=engine))


def write_run(folder: Path, seed: int = 0, num_hard: int = 8, engine: str = '0.10.12') -> Path:
    """Write a run of three epochs of four steps, with analyses and pictures; return ``folder``."""
    rng = np.random.default_rng(seed)
    lines: list[Any] = [dict({'knn/top1': 20.0}, epoch=0, step=0)]
    for number in range(1, 13):
        share = float(rng.random())
        lines.append(
            step(
                number,
                7 - number / 4 + share,
                acc_contrast=share / 2,
                acc_contrast_synthetic=share / 3,
                sim_positive=share,
            )
        )
        if number % 4 == 0:
            lines.append(dict({'knn/top1': 20.0 + number}, epoch=number // 4, step=number))
    write_start(folder, '20260102_030405', lines, num_hard, engine)
    for epoch in (1, 3):
        scalars = {
            f'{name}/{layer}': float(rng.random())
            for name in ('alignment/class', 'alignment/views', 'uniformity', 'rank')
            for layer in ('backbone', 'neck')
        }
        scalars['false_negatives/hardest'] = float(rng.random())
        scalars['false_negatives/PairMixing/both'] = float('nan')
        curve = np.sort(rng.random(8))[::-1] / 20
        arrays = dict(probabilities=curve, probabilities_synthetic=curve / 2)
        arrays['singular_values_backbone'] = np.sort(rng.random(6))[::-1]
        record = dict(epoch=epoch, iter=4 * epoch, scalars=scalars)
        write_analysis(folder / 'analysis', f'epoch_{epoch}', record, arrays)
    for epoch in (1, 3):
        pixels = np.full((40, 60, 3), 60 * epoch, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'analysis/epoch_{epoch}_neighbors.png')
    return folder
