"""SIGTERM and SIGUSR1 at random moments: nothing is lost, the end is the same to the bit.

python -m pytest tests/faults/test_preemption.py --long        20 signals
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from mochi_mm.engine.hooks.preemption_hook import EXIT_PREEMPTED
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import newest_valid
from tests.faults.job import diary, start, wait_for


def assert_same_end(a: Path, b: Path) -> None:
    """Weights, memory, averaged encoder, optimizer and curves are equal to the bit."""
    first, second = (read_checkpoint(newest_valid(folder)[0]) for folder in (a, b))
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(first[part], second[part], part)
    curves = [c['message_hub']['log_scalars'] for c in (first, second)]
    for name in curves[0]:
        if 'time' not in name:
            assert_equal(curves[0][name], curves[1][name], name)


def assert_equal(a: object, b: object, where: str) -> None:
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_equal(a[key], b[key], f'{where}.{key}')
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_equal(x, y, f'{where}[{i}]')
    else:
        assert a == b, where


@pytest.mark.slow
def test_signals_cost_nothing(tmp_path: Path, long: bool) -> None:
    """The signal goes to the whole session, loader workers included, as Slurm sends it."""
    signals, epochs = (20, 60) if long else (3, 10)
    settings = {
        'max_epochs': epochs,
        'train_dataloader.num_workers': 2,
        'train_dataloader.persistent_workers': True,
        'default_hooks.checkpoint.interval': epochs,
    }
    straight = start(tmp_path / 'straight', resume=False, **settings)
    draw = random.Random(0)
    folder = tmp_path / 'parts'
    sent = 0
    while True:
        job = start(folder, delay=0.01, **settings)
        count = len(diary(folder, 'did'))
        stop_after = count + draw.randint(1, max(1, 4 * epochs // signals - 4))
        if sent == signals:
            job.join()
            assert job.exitcode == 0, (folder / 'output').read_text()[-2000:]
            break
        wait_for(lambda n=stop_after: len(diary(folder, 'did')) >= n, job)
        time.sleep(draw.uniform(0, 0.02))
        os.killpg(job.pid, draw.choice([signal.SIGTERM, signal.SIGUSR1]))
        job.join()
        assert job.exitcode == EXIT_PREEMPTED, (folder / 'output').read_text()[-2000:]
        sent += 1
    straight.join()
    assert straight.exitcode == 0
    assert diary(folder, 'did') == list(range(4 * epochs))  # none lost, none done twice
    assert_same_end(tmp_path / 'straight', folder)
