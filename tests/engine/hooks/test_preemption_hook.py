"""PreemptionHook: what its handler does to processes that are forked while it is installed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from logging import getLogger
from pathlib import Path
from types import SimpleNamespace

import pytest

from mochi_mm.engine.hooks import CheckpointHook, PreemptionHook, preemption_hook
from mochi_mm.engine.hooks.preemption_hook import EXIT_INTERRUPTED, EXIT_PREEMPTED
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import REPOSITORY, runner_config

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


@pytest.fixture(autouse=True)
def foreground() -> Iterator[None]:
    """As started by hand: a job in the background is started with Ctrl-C ignored."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def hook() -> Iterator[PreemptionHook]:
    """A hook that has taken over the signals, and gives them back."""
    taken = PreemptionHook()
    runner = SimpleNamespace(hooks=[CheckpointHook(interval=1)], logger=getLogger('test'))
    taken.before_train(runner)
    yield taken
    taken.after_train(runner)


@pytest.mark.parametrize('number', SIGNALS)
def test_the_process_itself_only_notes_the_signal(hook: PreemptionHook, number: int) -> None:
    signal.raise_signal(number)
    assert hook._note.number == number


def test_a_forked_child_dies_of_sigterm(hook: PreemptionHook) -> None:
    """A pool of mmdet's evaluation is ended this way; one that survives hangs the run."""
    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))
    child.start()
    time.sleep(0.2)
    child.terminate()
    child.join(timeout=20)
    code = child.exitcode
    child.kill()
    assert code == -signal.SIGTERM
    assert hook._note.number is None


def _told_while_forked() -> None:
    """As if this child had been told before it could change its handlers."""
    signal.signal(signal.SIGTERM, preemption_hook._Note())
    preemption_hook._hold()
    os.kill(os.getpid(), signal.SIGTERM)
    preemption_hook._begin_as_child()
    time.sleep(60)


def test_a_child_that_is_told_while_it_is_forked_dies_too(hook: PreemptionHook) -> None:
    """Else a pool that is ended at once waits for it for ever."""
    child = multiprocessing.get_context('fork').Process(target=_told_while_forked)
    child.start()
    child.join(timeout=20)
    code = child.exitcode
    child.kill()
    assert code == -signal.SIGTERM and hook._note.number is None
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(SIGNALS)  # here, none is held


def _exit_with_handlers_left() -> None:
    raise SystemExit(sum(signal.getsignal(number) != signal.SIG_DFL for number in SIGNALS))


def test_a_forked_child_has_no_handler_in_python(hook: PreemptionHook) -> None:
    """One that goes to sleep on a lock just behind the signal would never get to run it."""
    child = multiprocessing.get_context('fork').Process(target=_exit_with_handlers_left)
    child.start()
    child.join(timeout=20)
    assert child.exitcode == 0
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL  # here it is


@pytest.mark.parametrize('found', ['default', 'ignored', 'own'])
def test_nor_where_a_run_before_left_its_handler(found: str) -> None:
    """A runner of another kind, ended by an error, calls no after_train."""
    _start_with(found)
    runner = SimpleNamespace(hooks=[CheckpointHook(interval=1)], logger=getLogger('test'))
    before = [signal.getsignal(number) for number in SIGNALS]
    left, hook = PreemptionHook(), PreemptionHook()
    left.before_train(runner)
    child = multiprocessing.get_context('fork').Process(target=_exit_with_handlers_left)
    child.start()
    child.join(timeout=20)
    assert child.exitcode == (found == 'ignored')  # as its parent was started
    hook.before_train(runner)
    hook.after_train(runner)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    hook._ignore()  # on its way out, and caught by whoever started it
    left.before_train(runner)
    left.after_train(runner)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def _start_with(found: str) -> None:
    """Let Ctrl-C do what it would have done without a run."""
    handlers = dict(default=signal.default_int_handler, ignored=signal.SIG_IGN, own=lambda *_: None)
    signal.signal(signal.SIGINT, handlers[found])


def test_what_was_started_in_the_background_does_not_hear_ctrl_c() -> None:
    """Nor do its workers; what a scheduler sends is heard all the same."""
    _start_with('ignored')
    runner = SimpleNamespace(hooks=[CheckpointHook(interval=1)], logger=getLogger('test'))
    hook = PreemptionHook()
    hook.before_train(runner)
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN and hook._note.number is None
    signal.raise_signal(signal.SIGTERM)
    assert hook._note.number == signal.SIGTERM
    hook._ignore()
    child = multiprocessing.get_context('fork').Process(target=_exit_with_handlers_left)
    child.start()
    child.join(timeout=20)
    assert child.exitcode == 1  # SIGTERM and SIGUSR1 end it
    hook.before_train(runner)
    hook.after_train(runner)


def test_an_error_gives_the_signals_back(tmp_path: Path) -> None:
    """The run's own: what comes behind it in the process is not stopped by a note nobody reads."""
    before = [signal.getsignal(number) for number in SIGNALS]
    config = runner_config(tmp_path, max_epochs=1)
    config.default_hooks.preemption = dict(type='PreemptionHook')
    runner = build_runner(config)

    def fail(*args: object, **kwargs: object) -> None:
        assert signal.getsignal(signal.SIGTERM) not in before
        raise RuntimeError('in the step')

    runner.model.train_step = fail
    with pytest.raises(RuntimeError, match='in the step'):
        runner.train()
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_pool_ends(hook: PreemptionHook) -> None:
    pool = multiprocessing.get_context('fork').Pool(2)
    assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]
    pool.terminate()
    pool.join()
    assert hook._note.number is None


def test_signals_are_given_back(hook: PreemptionHook) -> None:
    taken = signal.getsignal(signal.SIGTERM)
    hook.after_train(SimpleNamespace())
    assert signal.getsignal(signal.SIGTERM) is not taken


def _train_until_told(folder: Path) -> None:
    """Leave in the first iteration; the scheduler repeats itself until the interpreter is gone."""
    runner = build_runner(runner_config(folder, max_epochs=1))
    step = runner.model.train_step

    def told(*args: object, **kwargs: object) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return step(*args, **kwargs)

    runner.model.train_step = told
    try:
        runner.train()
    finally:
        os.kill(os.getpid(), signal.SIGUSR1)


def test_signals_behind_the_save_change_nothing(tmp_path: Path) -> None:
    script = (
        'import atexit, os, signal, sys\n'
        'from pathlib import Path\n'
        'from tests.engine.hooks.test_preemption_hook import _train_until_told\n'
        'atexit.register(os.kill, os.getpid(), signal.SIGTERM)\n'
        'class Last:\n'
        '    def __del__(self, kill=os.kill, me=os.getpid()): kill(me, 10)\n'
        'sys.modules["last"] = Last()\n'
        '_train_until_told(Path(sys.argv[1]))\n'
    )
    words = [sys.executable, '-W', 'ignore', '-c', script, str(tmp_path / 'run')]
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY), CUDA_VISIBLE_DEVICES='-1')
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == EXIT_PREEMPTED, done.stderr[-2000:]
    assert (tmp_path / 'run/iter_1.pth').is_file()


def test_a_child_of_a_leaving_process_can_be_ended(hook: PreemptionHook) -> None:
    hook._ignore()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    hook.give_back()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    child = multiprocessing.get_context('fork').Process(target=_exit_with_handlers_left)
    child.start()
    child.join(timeout=20)
    assert child.exitcode == 0


def _press(folder: Path, times: int) -> subprocess.Popen[bytes]:
    """Start a run whose third iteration lasts long, and press Ctrl-C in it, for the whole group."""
    script = (
        'import sys, time\n'
        'from pathlib import Path\n'
        'from mochi_mm.launch.runner import build_runner\n'
        'from tests.toy_runner import runner_config\n'
        'config = runner_config(Path(sys.argv[1]), max_epochs=2)\n'
        'config.train_dataloader.num_workers = 1\n'
        'runner = build_runner(config)\n'
        'step, count = runner.model.train_step, []\n'
        'def slow(*args, **kwargs):\n'
        '    count.append(1)\n'
        '    if len(count) == 3:\n'
        '        Path(sys.argv[1], "mark").touch()\n'
        '        time.sleep(float(sys.argv[2]))\n'
        '    return step(*args, **kwargs)\n'
        'runner.model.train_step = slow\n'
        'runner.train()\n'
    )
    seconds = '3' if times == 1 else '60'
    words = [sys.executable, '-W', 'ignore', '-c', script, str(folder), seconds]
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY), CUDA_VISIBLE_DEVICES='-1')
    run = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 300
    while not (folder / 'mark').exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    for _ in range(times):
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.5)
    return run


def test_ctrl_c_saves(tmp_path: Path) -> None:
    """Nothing is lost, and nobody is asked to start the run again."""
    run = _press(tmp_path / 'run', 1)
    said = run.communicate(timeout=300)[1].decode()
    assert run.returncode == EXIT_INTERRUPTED == 130, said[-2000:]
    assert [path.name for path in (tmp_path / 'run').glob('*.pth')] == ['iter_3.pth']
    assert 'Ctrl-C: this iteration is finished' in said and 'Traceback' not in said


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    run = _press(tmp_path / 'run', 2)
    run.communicate(timeout=30)  # the iteration would have lasted 60 seconds
    assert run.returncode == -signal.SIGINT
    assert not list((tmp_path / 'run').glob('*.pth'))
