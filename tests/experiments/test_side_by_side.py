"""Commands in processes of their own: one that fails stops no other; the time left."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mochi_mm.experiments.side_by_side import (
    Task,
    duration,
    progress,
    run_side_by_side,
)


def python(name: str, code: str, folder: Path) -> Task:
    log = folder / name / 'output.log'
    return Task(name, [sys.executable, '-c', code], log, 1.0, lambda: float(log.exists()))


def test_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    tasks = [
        python('good', 'print("fine")', tmp_path),
        python('bad', 'import sys; sys.exit("no such thing")', tmp_path),
        python('last', 'import os; print(os.environ["GREETING"])', tmp_path),
    ]
    told: list[str] = []
    ended: list[tuple[str, int]] = []
    codes = run_side_by_side(
        tasks,
        2,
        dict(os.environ, GREETING='hello'),
        told.append,
        lambda task, code: ended.append((task.name, code)),
        poll=0.02,
    )
    assert codes == {'good': 0, 'bad': 1, 'last': 0} and sorted(ended) == sorted(codes.items())
    assert (tmp_path / 'last/output.log').read_text() == 'hello\n'
    assert 'no such thing' in (tmp_path / 'bad/output.log').read_text()
    assert any(line.startswith('bad: FAILED (exit code 1, see ') for line in told)


def test_no_more_than_so_many_at_once(tmp_path: Path) -> None:
    code = f"""
import os, time
mark = {str(tmp_path)!r} + '/' + str(os.getpid())
open(mark, 'w').close()
print(len([n for n in os.listdir({str(tmp_path)!r}) if n.isdigit()]))
time.sleep(0.3)
os.remove(mark)
"""
    tasks = [python(name, code, tmp_path) for name in 'abcd']
    run_side_by_side(tasks, 2, os.environ, lambda line: None, poll=0.02)
    counts = [int((tmp_path / name / 'output.log').read_text()) for name in 'abcd']
    assert len(counts) == 4 and max(counts) == 2


def test_one_that_comes_after_another_waits_for_it(tmp_path: Path) -> None:
    """With room for both; the next in line goes first, and a name that is no task is not there."""
    slow = f'import time; time.sleep(1.5); open({str(tmp_path / "made")!r}, "w")'
    reads = f'open({str(tmp_path / "made")!r})'
    tasks = [
        python('first', slow, tmp_path),
        replace(python('second', reads, tmp_path), after='first'),
        replace(python('third', 'print(1)', tmp_path), after='nobody'),
    ]
    ended: list[str] = []
    codes = run_side_by_side(
        tasks,
        2,
        dict(os.environ),
        lambda line: None,
        lambda task, code: ended.append(task.name),
        poll=0.02,
    )
    assert codes == dict(first=0, second=0, third=0) and ended == ['third', 'first', 'second']


def test_an_interrupt_ends_what_runs(tmp_path: Path) -> None:
    task = python('endless', 'import time; time.sleep(600)', tmp_path)

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_side_by_side([task], 1, os.environ, stop, poll=0.02, every=0.0)
    assert time.monotonic() - start < 60  # it has been waited for, and was not let sleep


def test_time_left() -> None:
    def task(name: str, work: float, done: float) -> Task:
        return Task(name, [], Path(name), work, lambda: done)

    tasks = [task('a', 11, 11), task('b', 11, 5), task('c', 11, 0), task('d', 11, 3)]
    # 17 of 44 epochs since the start took 1700 s; d has failed, 6 + 11 are left: 1700 s.
    line = progress(tasks, {'a': 0, 'd': 1}, ['b'], 2.0, 1700.0)
    assert line == '2 of 4 runs ended, about 28 min left; running: b'
    assert 'time unknown' in progress(tasks, {}, [], 19.0, 5.0)
    assert duration(3600) == '1 h 00 min' and duration(7530) == '2 h 06 min'
