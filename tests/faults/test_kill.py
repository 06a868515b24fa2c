"""kill -9 at random moments of a run that saves all the time.

python -m pytest tests/faults/test_kill.py --long        200 kills each for keep = 1, 3 and all
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from mochi_mm.files.checkpoint_folder import newest_valid, saved_in
from tests.faults.job import diary, start, wait_for

BALLAST = 8 << 20


@pytest.mark.slow
@pytest.mark.parametrize('keep', [1, 3, -1])
def test_no_kill_costs_a_saved_result(tmp_path: Path, keep: int, long: bool) -> None:
    """Each job resumes what the last one left, saves at every iteration, and is killed."""
    draw = random.Random(keep)
    folder = tmp_path / 'run'
    torn = without_manifest = 0
    for _ in range(200 if long else 3):
        before = len(diary(folder, 'started'))
        saves = len(diary(folder, 'saved'))
        job = start(
            folder,
            max_epochs=10**5,
            ballast=BALLAST,
            **{
                'default_hooks.checkpoint.by_epoch': False,
                'default_hooks.checkpoint.interval': 1,
                'default_hooks.checkpoint.max_keep_ckpts': keep,
            },
        )
        wait_for(lambda n=saves: len(diary(folder, 'saved')) > n, job)
        time.sleep(draw.uniform(0, 0.4))
        os.killpg(job.pid, signal.SIGKILL)
        job.join()
        assert job.exitcode == -signal.SIGKILL, (folder / 'output').read_text()[-2000:]
        assert len(diary(folder, 'started')) == before + 1
        path, refused = newest_valid(folder)
        assert refused == []
        newest = int(path.stem.split('_')[1])
        assert newest >= diary(folder, 'saved')[-1]
        without_manifest += saved_in(folder)[-1].manifest is None
        torn += bool(list(folder.glob('.*.partial')))
        if keep > 0:
            assert keep <= len(saved_in(folder)) <= keep + 1 or newest < keep
        for entry in saved_in(folder)[:-4] if keep < 0 else ():
            entry.path.unlink()  # only the disk of the test: all of them would fill it
    # Each job began at or behind what the one before had said it saved.
    lines = [line.split() for line in (folder / 'diary').read_text().splitlines()]
    saved = 0
    for word, number in lines:
        if word == 'started':
            assert int(number) >= saved
        if word == 'saved':
            saved = int(number)
    print(f'keep={keep}: {torn} kills inside a write, {without_manifest} before its manifest')
