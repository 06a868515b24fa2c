"""One run in a work dir: the second is refused while the first lives, and only then."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.files import run_lock
from mochi_mm.files.run_lock import FILE, RunLock, refuse_if_running
from tests.toy_runner import REPOSITORY

HOLD = """
import sys, time
from mochi_mm.files.run_lock import RunLock
with RunLock(sys.argv[1]):
    print('held', flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the work dir."""
    words = [sys.executable, '-c', HOLD, str(tmp_path)]
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None and process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.wait()


def never(seconds: float) -> None:
    raise AssertionError('nothing was to be waited for')


def test_a_living_run_holds_its_work_dir(tmp_path: Path, holder: Any) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=rf'process {holder.pid} on .*--work-dir') as error:
            RunLock(tmp_path, never).__enter__()
        assert str(tmp_path) in str(error.value)
        with pytest.raises(ValueError, match=f'process {holder.pid}'):
            refuse_if_running(tmp_path, never)
    (tmp_path / 'link').symlink_to(tmp_path)
    with pytest.raises(ValueError, match=f'process {holder.pid}'):
        refuse_if_running(tmp_path / 'link', never)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_run_holds_nothing(tmp_path: Path, holder: Any, number: int) -> None:
    """However it died; nothing is waited for, and nothing is to be cleaned up."""
    holder.send_signal(number)
    holder.wait()
    assert (tmp_path / FILE).exists()
    refuse_if_running(tmp_path, never)
    with RunLock(tmp_path, never):
        assert json.loads((tmp_path / FILE).read_text())['process'] == os.getpid()
    assert not (tmp_path / FILE).exists()


def test_a_child_of_a_dead_run_holds_nothing_either(tmp_path: Path) -> None:
    """Loader workers may outlive the run by seconds; a lock that they inherit would too."""
    script = (
        'import os, sys, time\n'
        'from mochi_mm.files.run_lock import RunLock\n'
        'RunLock(sys.argv[1]).__enter__()\n'
        'child = os.fork()\n'
        'if child: print(child, flush=True); os._exit(1)\n'
        'time.sleep(60)\n'
    )
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    words = [sys.executable, '-c', script, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.wait()
        try:
            refuse_if_running(tmp_path, never)
        finally:
            os.kill(child, signal.SIGKILL)


def test_one_process_has_it_once(tmp_path: Path) -> None:
    with RunLock(tmp_path):
        with pytest.raises(ValueError, match=f'process {os.getpid()}'):
            RunLock(tmp_path).__enter__()
        with pytest.raises(ValueError, match=f'process {os.getpid()}'):
            refuse_if_running(tmp_path)
        script = 'import sys; from mochi_mm.files.run_lock import *; refuse_if_running(sys.argv[1])'
        words = [sys.executable, '-c', script, str(tmp_path)]
        environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
        done = subprocess.run(words, env=environment, capture_output=True, text=True)
        assert done.returncode and f'process {os.getpid()}' in done.stderr
        with RunLock(tmp_path / 'other'):
            pass
    refuse_if_running(tmp_path)


class Elsewhere:
    """A run on another machine, seen through a network file system."""

    def __init__(self, folder: Path, alive: bool) -> None:
        self.path, self.alive, self.waited = folder / FILE, alive, 0.0
        self.record = dict(host='elsewhere', process=os.getpid(), began='now', token='t', beat=3)
        self.path.write_text(json.dumps(self.record).ljust(512))

    def wait(self, seconds: float) -> None:
        self.waited += seconds
        if self.alive:
            self.record['beat'] = 5
            self.path.write_text(json.dumps(self.record).ljust(512))


def no_locks(file: int, how: int) -> None:
    raise OSError(errno.ENOLCK, 'No locks available')


def kept_by_the_server(file: int, how: int) -> None:
    """The server still has the lock of a machine that is gone; another file is free."""
    if b'elsewhere' in os.pread(file, 512, 0):
        raise OSError(errno.EAGAIN, 'Resource temporarily unavailable')


@pytest.mark.parametrize('locks', [None, no_locks, kept_by_the_server])
@pytest.mark.parametrize('alive', [True, False])
def test_a_run_on_another_machine(
    tmp_path: Path, locks: Any, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locks that stay on each machine, none at all, and ones that outlive a crashed machine."""
    if locks is not None:
        monkeypatch.setattr(fcntl, 'lockf', locks)
    other = Elsewhere(tmp_path, alive)
    if alive:
        with pytest.raises(ValueError, match='on elsewhere, begun now'):
            RunLock(tmp_path, other.wait).__enter__()
        assert json.loads(other.path.read_text())['host'] == 'elsewhere'
    else:
        with RunLock(tmp_path, other.wait) as lock:
            assert json.loads(other.path.read_text())['token'] == lock.record['token']
            assert lock.is_ours()
    assert other.waited == pytest.approx(2.5 * run_lock.BEAT)


def test_without_locks_a_process_of_this_machine_decides(
    tmp_path: Path, holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, 'lockf', no_locks)
    with pytest.raises(ValueError, match=f'process {holder.pid}'):
        refuse_if_running(tmp_path, never)
    holder.kill()
    holder.wait()
    with RunLock(tmp_path, never):
        pass


def test_a_run_that_was_taken_for_dead_learns_of_it(tmp_path: Path) -> None:
    with RunLock(tmp_path) as lock:
        assert lock.is_ours()
        (tmp_path / FILE).unlink()
        (tmp_path / FILE).write_text('of another run')
        assert not lock.is_ours()
    assert (tmp_path / FILE).read_text() == 'of another run'


def test_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, 'BEAT', 0.01)
    with RunLock(tmp_path):
        deadline = time.monotonic() + 20
        while json.loads((tmp_path / FILE).read_text())['beat'] < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert (tmp_path / FILE).stat().st_size == 512


ODD = ['Infinity', '1e999', '-1', '0', '1.5', 'true', '"7"', '1' + '0' * 40, 'NaN']


@pytest.mark.parametrize(
    'text',
    ['', 'torn {', '[' * 400, '[]', '{"host": 3}', '\x00' * 512]
    + [f'{{"host": "x", "process": {number}}}' for number in ODD],
)
def test_a_record_that_cannot_be_read_is_of_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with RunLock(tmp_path, never) as lock:
        assert json.loads((tmp_path / FILE).read_text())['token'] == lock.record['token']


def test_what_another_record_says_is_shown_safely(tmp_path: Path) -> None:
    """A counter that is no number cannot look like a sign of life, and no text moves a cursor."""
    other = Elsewhere(tmp_path, alive=False)
    other.record = dict(host='\x1b[2J', process=7, began='\x1b]0;x', beat=float('nan'))
    other.path.write_text(json.dumps(other.record).ljust(512))
    with RunLock(tmp_path, other.wait):
        pass
    assert other.waited == pytest.approx(2.5 * run_lock.BEAT)
    other.alive = True
    other.path.write_text(json.dumps(other.record).ljust(512))
    with pytest.raises(ValueError, match='process 7') as refusal:
        RunLock(tmp_path, other.wait).__enter__()
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize('kind', ['pipe', 'folder', 'link to a device'])
def test_something_else_in_the_place_of_the_lock(tmp_path: Path, kind: str) -> None:
    path = tmp_path / FILE
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'folder':
        path.mkdir()
    else:
        path.symlink_to('/dev/zero')
    for begin in (RunLock(tmp_path, never).__enter__, lambda: refuse_if_running(tmp_path, never)):
        with pytest.raises(ValueError, match=r'run\.lock is a .*; expected a regular file'):
            begin()
