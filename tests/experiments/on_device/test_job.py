"""Jobs end as they should: done, failed, or late with all that they started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mochi_mm.experiments.on_device.job import Job, run_jobs, run_program


def speak(word: str) -> None:
    print(word, os.environ.get('SAID'), flush=True)


def fail() -> None:
    raise ValueError('no such device')


def sleep(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
    (folder / 'child').write_text(str(child.pid))
    time.sleep(600)


def alive(process: int) -> bool:
    try:
        state = Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'


def test_side_by_side_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / 'program.py'
    program.write_text('import sys\nprint(__name__, sys.argv[1:])\nsys.exit(3)\n')
    jobs = [
        Job('speaks', speak, dict(word='hello')),
        Job('fails', fail),
        Job('sleeps', sleep, dict(folder=tmp_path)),
        Job('program', run_program, dict(path=str(program), words=['a', '--b'])),
    ]
    monkeypatch.setenv('SAID', 'so')
    run_jobs(jobs[:1], tmp_path, 120)  # the server is up from here on
    start = time.monotonic()
    ended = run_jobs(jobs, tmp_path, 4)
    assert 4 <= time.monotonic() - start < 30
    assert {name: job['state'] for name, job in ended.items()} == dict(
        speaks='done', fails='failed', sleeps='late', program='failed'
    )
    assert [job['exit'] for job in ended.values()] == [0, 1, -9, 3]
    assert ended['sleeps']['seconds'] >= 4 > ended['fails']['seconds']
    assert (tmp_path / 'speaks.log').read_text() == 'hello so\n'
    assert 'ValueError: no such device' in (tmp_path / 'fails.log').read_text()
    assert (tmp_path / 'program.log').read_text() == "__main__ ['a', '--b']\n"
    child = int((tmp_path / 'child').read_text())
    for _ in range(50):
        if not alive(child):
            return
        time.sleep(0.1)
    pytest.fail('what a late job started lives on')
