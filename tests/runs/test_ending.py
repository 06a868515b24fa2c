"""How a run ended is read from what it left: facts of its starts, its lock, its log."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.files.run_lock import FILE, process_lives
from mochi_mm.runs.ending import Ending, ending_of
from mochi_mm.runs.environment import read_environment
from mochi_mm.runs.run_log import read_log
from mochi_mm.runs.start_facts import write_start as write_facts
from tests.visualization.report.toy import LOG, step, write_start

TIME = '20260102_030405'


def run(folder: Path, **facts: Any) -> Path:
    """A run of one line whose start wrote down some facts."""
    write_start(folder, TIME, [step(1, 3.0)])
    if facts:
        write_facts(folder / TIME, dict(version='1'), **facts)
    (folder / TIME / f'{TIME}.log').write_text('first\n' + 'x' * 500 + '\n\nlast \x1b[31m<words>\n')
    return folder


def ending(folder: Path) -> Ending:
    return ending_of(read_log(folder, crashed=True), folder)


def lock(folder: Path, process: int, host: str | None = None) -> None:
    record = dict(process=process, host=host or socket.gethostname())
    (folder / FILE).write_text(json.dumps(record))


@pytest.fixture(scope='module')
def dead() -> int:
    """Number of a process that is no more."""
    process = subprocess.Popen(['true'])
    process.wait()
    return process.pid


def test_what_a_run_died_of(tmp_path: Path) -> None:
    found = ending(run(tmp_path, error=ValueError('loss is\nnan; expected <finite>')))
    assert (found.state, found.error) == ('crashed', 'ValueError: loss is nan; expected <finite>')
    assert found.last_words == ['first', 'x' * 400 + ' ...', 'last \\x1b[31m<words>']
    write_facts(tmp_path / TIME, {}, error=KeyError('k' * 9000))
    assert ending(tmp_path).error == f'KeyError: {"k" * 1990}'


def test_a_later_start_that_finished(tmp_path: Path) -> None:
    run(tmp_path, error=ValueError('x'))
    write_start(tmp_path, '20260103_030405', [step(2, 3.0)])
    write_facts(tmp_path / '20260103_030405', dict(version='1'), finished=True)
    assert ending(tmp_path) == Ending('finished')


def test_a_lock_tells_the_living_from_the_killed(tmp_path: Path, dead: int) -> None:
    run(tmp_path, finished=False)
    assert process_lives(tmp_path) is None and ending(tmp_path).state == 'not finished'
    lock(tmp_path, dead)
    assert process_lives(tmp_path) is False and ending(tmp_path).state == 'killed'
    assert ending(tmp_path).last_words[0] == 'first'
    lock(tmp_path, os.getpid())
    assert process_lives(tmp_path) is True and ending(tmp_path) == Ending('running')
    lock(tmp_path, os.getpid(), 'another machine')
    assert ending(tmp_path).state == 'not finished'
    (tmp_path / FILE).write_text('{')
    assert ending(tmp_path).state == 'not finished'


def test_a_run_that_wrote_nothing_down(tmp_path: Path) -> None:
    assert ending(run(tmp_path / 'old')) == Ending('-')
    (tmp_path / 'new' / TIME).mkdir(parents=True)
    assert ending(tmp_path / 'new') == Ending('crashed')


def test_the_environment_is_of_the_run_at_any_log_level(tmp_path: Path) -> None:
    facts = dict(version='0.9', commit='abc', torch='2.4', mmengine='unknown', changes='', host='a')
    write_facts(tmp_path, facts)
    expected = {'mochi_mm': '0.9', 'commit': 'abc', 'host': 'a', 'PyTorch': '2.4'}
    assert read_environment('', tmp_path) == expected
    found = read_environment(LOG.format(engine='0.10.12'), tmp_path)
    assert found['MMEngine'] == '0.10.12' and found['Python'] == '3.11.7' and found['host'] == 'a'
    assert read_environment('', tmp_path / 'absent') == {}
